"""A table in a file of any kind that people make with Excel, as rows of texts."""

from collections.abc import Iterator
from pathlib import Path

from core.errors import Invalid
from designs.sheets import text, workbook
from designs.sheets.headers import Headers, column_of, headers_of
from designs.sheets.text import ColumnOf, Line

ZIP = b"PK"
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
OTHERS = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"RIFF")


def read(path: Path, encoding: str = "") -> tuple[Headers, Iterator[Line]]:
    """Return the columns that a file names, and its rows with any text; their cells are as many as the columns.

    A row has its number in a spreadsheet. A row with a cell beyond the columns has that one more.
    Raises Invalid, also while the rows are read.
    """
    rows = ((number, cells) for number, cells in lines(path, encoding) if any(map(str.strip, cells)))
    first = next(rows, None)
    if first is None:
        raise Invalid("This file is empty. Its first row names the columns.")
    headers = headers_of(*first)
    return headers, ((number, fitted(cells, len(headers.columns))) for number, cells in rows)


def lines(path: Path, encoding: str = "", known: ColumnOf = column_of) -> Iterator[Line]:
    """The rows by the kind of the file, which its first bytes tell better than its name."""
    with path.open("rb") as file:
        head = file.read(8)
    if head.startswith(OLD_EXCEL):
        raise Invalid(
            "This is an Excel file of the old kind (.xls), or one with a password. In Excel, save it without a "
            "password as “Excel Workbook (.xlsx)”."
        )
    if head.startswith(OTHERS):
        raise Invalid("This is not a table. Choose an Excel workbook (.xlsx) or a CSV file.")
    return workbook.lines(path) if head.startswith(ZIP) else text.lines(path, encoding, known)


def encoding_of(path: Path) -> str:
    """The encoding of a file of text; empty for one of another kind."""
    with path.open("rb") as file:
        head = file.read(8)
    return "" if head.startswith((ZIP, OLD_EXCEL, *OTHERS)) else text.encoding_of(path)


def fitted(cells: list[str], count: int) -> list[str]:
    """As many cells as there are columns, and the first with any text beyond them."""
    beyond = next((cell for cell in cells[count:] if cell.strip()), None)
    row = (cells[:count] + [""] * count)[:count]
    return row if beyond is None else [*row, beyond]
