"""Tables in Excel's workbooks (.xlsx), read a row at a time within bounds of memory."""

import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime, time
from itertools import zip_longest
from pathlib import Path
from typing import IO, Any

from openpyxl import Workbook, load_workbook
from openpyxl.utils.escape import unescape

from core.errors import Invalid
from designs.sheets import archives
from designs.sheets.headers import MOST_COLUMNS
from designs.sheets.text import Line

MOST_EXPANDED = 400_000_000  # bytes of all parts
MOST_PART = 64_000_000  # bytes of a part that openpyxl keeps in memory: the texts, the styles
MOST_TAGS = 3_000_000  # of such a part; each takes about 100 bytes of memory
MOST_BETWEEN_ROWS = 4_000_000  # bytes; openpyxl keeps one row in memory
MOST_ROWS = 1_048_576  # Excel's own limit
STEP = 1024 * 1024  # bytes
SHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
ROW = re.compile(rb"<(?:\w+:)?row[\s/>]")
# A formula with no result beside it: a program wrote the workbook, and Excel has not calculated it yet.
NO_RESULT = re.compile(
    rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f(?:\s[^<>]*)?/>)\s*(?:<(?:\w+:)?v\s*/>|<v></v>)?\s*</(?:\w+:)?c>"
)
OVERLAP = 64  # bytes, the longest that the two may be cut apart in
UNCALCULATED = "#UNCALCULATED!"  # stands for the value of such a cell


def lines(path: Path) -> Iterator[Line]:
    """Yield the rows of the first sheet that shows any. Raises Invalid, also while it reads."""
    with archives.opened(path, MOST_EXPANDED) as archive:
        uncalculated = checked_parts(archive)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of parts that openpyxl leaves out: pictures, charts
            with opened(path, data_only=True) as book:
                yield from sheet_lines(book, path if uncalculated else None)
    except Invalid:
        raise
    except Exception as error:  # openpyxl raises whatever a broken part leads to
        raise Invalid(archives.DAMAGED) from error


@contextmanager
def opened(path: Path, *, data_only: bool = False) -> Iterator[Workbook]:
    """A workbook of any name: given a path, openpyxl refuses those that it does not know."""
    with path.open("rb") as file, closing(load_workbook(file, read_only=True, data_only=data_only)) as book:
        yield book


def checked_parts(archive: zipfile.ZipFile) -> bool:
    """Check each part's size. Return whether a formula has no result. Raises Invalid."""
    if "xl/workbook.xml" not in archive.namelist():
        raise Invalid("This is not an Excel workbook. In Excel, save it as “Excel Workbook (.xlsx)”.")
    uncalculated = False
    for member in archive.infolist():
        if not member.filename.lower().endswith((".xml", ".rels")):
            continue
        is_sheet = SHEET.fullmatch(member.filename) is not None
        if not is_sheet and member.file_size > MOST_PART:
            raise Invalid(f"This workbook has more than {MOST_PART:,} bytes of text. Split it.")
        try:
            with archive.open(member) as part:
                uncalculated |= checked_sheet(part) if is_sheet else checked_tags(part)
        except archives.BROKEN as error:
            raise Invalid(archives.DAMAGED) from error
    return uncalculated


def checked_tags(part: IO[bytes]) -> bool:
    tags = 0
    while step := part.read(STEP):
        tags += step.count(b"<")
        if tags > MOST_TAGS:
            raise Invalid("This workbook holds too much. Copy the table into a new one.")
    return False


def checked_sheet(part: IO[bytes]) -> bool:
    """Return whether a formula has no result. Raises Invalid for too many rows, or one that is too long."""
    rows, since_row, uncalculated, tail = 0, 0, False, b""
    while step := part.read(STEP):
        window = tail + step
        # Those within the tail were found in the step before.
        ends = [end for match in ROW.finditer(window) if (end := match.end()) > len(tail)]
        rows += len(ends)
        since_row = len(window) - ends[-1] if ends else since_row + len(step)
        if rows > MOST_ROWS or since_row > MOST_BETWEEN_ROWS:
            raise Invalid(
                f"This sheet has more than {MOST_ROWS:,} rows, or a row that is too long. Split it."
            )
        uncalculated = uncalculated or NO_RESULT.search(window) is not None
        tail = window[-OVERLAP:]
    return uncalculated


def sheet_lines(book: Workbook, formulas: Path | None) -> Iterator[Line]:
    """The rows of the first visible sheet with any; `formulas` is the file if some formulas have no result."""
    for place, sheet in enumerate(book.worksheets):
        if sheet.sheet_state != "visible":
            continue
        found = False
        for line in rows_of(sheet, formulas, place):
            found = found or any(line[1])
            yield line
        if found:
            return


def rows_of(sheet: Any, formulas: Path | None, place: int) -> Iterator[Line]:
    sheet.reset_dimensions()  # some programs write a wrong one
    rows = sheet.iter_rows(max_col=MOST_COLUMNS + 1)
    if formulas is None:
        for number, cells in enumerate(rows, 1):
            check_count(number)
            yield number, [text_of(cell.value) for cell in cells]
        return
    with opened(formulas) as book:
        twin = book.worksheets[place]
        twin.reset_dimensions()
        pairs = zip(rows, twin.iter_rows(max_col=MOST_COLUMNS + 1), strict=True)
        for number, (cells, written) in enumerate(pairs, 1):
            check_count(number)
            yield number, [calculated(cell, formula) for cell, formula in zip_longest(cells, written)]


def check_count(number: int) -> None:
    if number > MOST_ROWS:
        raise Invalid(f"This sheet has more than {MOST_ROWS:,} rows. Split it.")


def calculated(cell: Any, formula: Any) -> str:
    has_none = cell.value is None and formula.data_type == "f"
    return UNCALCULATED if has_none else text_of(cell.value)


def text_of(value: Any) -> str:
    """A cell's value as a CSV file would have it, but dates and times in ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return unescape(str(value))
