"""The catalogue as CSV and as a workbook, which an import takes back, and the template of a table to fill in."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import IO, Any, Protocol

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from core.spreadsheets import as_cell
from designs import pictures
from designs.fields import EDITABLE, SETTABLE_STATUSES
from designs.models import Design
from designs.sheets.headers import FILE, label_of

SHEET = "Designs"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WIDTHS = {
    "title": 32,
    "description": 48,
    "image_keys": 48,
    "r2_object_key": 24,
    "created_at": 24,
}  # characters
WIDTH = 16
# What XML cannot hold, and what Excel would read as such a sign (ECMA-376, part 1, ST_Xstring).
UNWRITABLE = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
TEMPLATE = (
    *("title", "category", FILE, "description"),
    *(name for name in EDITABLE if name not in ("title", "description", "category", "r2_object_key")),
)
EXPLAINED = {
    "title": "Needed. What the app shows above the picture.",
    "category": "Needed. Saree, Lehenga, …",
    FILE: "Needed. The name of the picture's file, as it is in the zip of pictures that you send along.",
    "featured": "yes or no; empty means no.",
    "status": "Draft, Published or Archived; empty means Published.",
}


class Writes(Protocol):
    """A file of text, or the standard output of a command."""

    def write(self, text: str, /) -> object: ...


def values_of(design: Design) -> list[Any]:
    """The values of a design in the order of COLUMNS."""
    return [
        design.pk,
        *(getattr(design, name) for name in EDITABLE),
        pictures.as_cell(design.pictures),
        as_text(design.created_at),
        design.trashed_status,
        as_text(design.deleted_at),
    ]


def as_text(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(UTC).isoformat()


def write_csv(out: Writes, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write rows as CSV; return how many there were."""
    writer = csv.writer(out)
    writer.writerow(header)
    count = 0
    for row in rows:
        writer.writerow([as_cell(value) for value in row])
        count += 1
    return count


def write_workbook(out: IO[bytes], header: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write rows as a workbook, one in memory at a time; return how many there were."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(SHEET)
    lay_out(sheet, header)
    count = 0
    for row in rows:
        sheet.append([cell_of(sheet, value) for value in row])
        count += 1
    book.save(out)
    return count


def lay_out(sheet: Any, header: Sequence[str]) -> None:
    """Set the columns' widths, keep their names in sight, and write them."""
    for place, name in enumerate(header, 1):
        sheet.column_dimensions[get_column_letter(place)].width = WIDTHS.get(name, WIDTH)
    sheet.freeze_panes = "A2"
    names = [cell_of(sheet, name) for name in header]
    for cell in names:
        cell.font = Font(bold=True)
    sheet.append(names)


def cell_of(sheet: Any, value: Any) -> Cell:
    """A cell: numbers and flags as themselves, all else as text, which no spreadsheet runs as a formula."""
    if isinstance(value, bool | int):
        return WriteOnlyCell(sheet, value)
    cell = WriteOnlyCell(sheet, UNWRITABLE.sub(escaped, as_cell(value)))
    cell.data_type = "s"  # openpyxl takes #N/A for an error
    return cell


def escaped(found: re.Match[str]) -> str:
    return f"_x{ord(found[0]):04X}_"


def write_template(out: IO[bytes]) -> None:
    """Write a workbook with the columns to fill in, and what belongs into them on a second sheet."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(SHEET)
    lay_out(sheet, [label_of(name) for name in TEMPLATE])
    offer(sheet, "status", [str(label) for _, label in SETTABLE_STATUSES])
    offer(sheet, "featured", ["yes", "no"])
    notes = book.create_sheet("What to write")
    notes.column_dimensions["A"].width, notes.column_dimensions["B"].width = WIDTH, 90
    for name in TEMPLATE:
        text = cell_of(notes, EXPLAINED.get(name, "May be empty."))
        text.alignment = Alignment(wrap_text=True)
        notes.append([cell_of(notes, label_of(name)), text])
    book.save(out)


def offer(sheet: Any, column: str, choices: list[str]) -> None:
    """Let Excel offer these choices in a column."""
    choice = DataValidation(type="list", formula1=f'"{",".join(choices)}"', allow_blank=True)
    letter = get_column_letter(TEMPLATE.index(column) + 1)
    choice.add(f"{letter}2:{letter}10000")
    sheet.data_validations.append(choice)


def rows_of(designs: Iterable[Design]) -> Iterator[list[Any]]:
    return map(values_of, designs)
