"""What is wrong with a row, in the words of people who use Excel: the cell, and what to write into it."""

import re
from typing import NamedTuple

from rest_framework.exceptions import ValidationError

from core.errors import Conflict, GalleryError
from core.spreadsheets import ERROR
from designs.sheets.headers import FILE, Headers
from designs.sheets.workbook import UNCALCULATED
from designs.validation import faults_of

PICTURES = (FILE, "r2_object_key", "image_keys")
ROW = "row"  # the field of a fault that no cell has
EXCEL_ERROR = re.compile(ERROR)
NEEDS = {
    FILE: "A new design needs a picture: write the name of its file here.",
    "r2_object_key": "A new design needs a picture: write the key of a stored one here, or add a column Image.",
    "image_keys": "A new design needs a picture: write the keys of stored ones here.",
}
EMPTY = ("This field is required.", "This field may not be blank.", "This field may not be null.")
TOO_LONG = re.compile(r"Ensure this field has no more than ([0-9]+) characters\.")
WORDS = {
    "This must be true or false.": "Write yes or no.",
    "Null characters are not allowed.": "This cell has a character that no text may have. Type its text again.",
}


class Fault(NamedTuple):
    """A sentence about a cell: the column of the design, and its name and place in the file if it is there."""

    column: str
    name: str
    place: int | None
    sentence: str

    def in_row(self, number: int) -> str:
        where = f", column {self.name}" if self.column != ROW else ""
        return f"Row {number}{where}: {self.sentence}"


def faults_in(error: GalleryError | ValidationError, headers: Headers) -> list[Fault]:
    """What an error says about the cells of a row."""
    if isinstance(error, Conflict) and not error.fields:
        return [Fault(ROW, "", None, error.message)]
    found = []
    for field, sentence in faults_of(error):
        # image_keys.0 is within the cell image_keys.
        column = place_for(field.split(".")[0], headers)
        found.append(
            Fault(column, headers.name_of(column), headers.place_of(column), words(column, sentence))
        )
    return list(dict.fromkeys(found))


def place_for(field: str, headers: Headers) -> str:
    """The column to show a fault at: one about pictures at whichever column the file has for them."""
    if field in PICTURES and headers.place_of(field) is None:
        return next((column for column in PICTURES if headers.place_of(column) is not None), FILE)
    return field


def words(column: str, sentence: str) -> str:
    if sentence in EMPTY:
        return NEEDS.get(column, "This cell is empty. Every design needs this.")
    if found := TOO_LONG.fullmatch(sentence):
        return f"This text is too long. Shorten it to {int(found[1]):,} characters."
    if column == "status" and "not a valid choice" in sentence:
        return "Write Draft, Published or Archived."
    return WORDS.get(sentence, sentence)


def cell_fault(cell: str) -> str:
    """A sentence about a cell that holds one of Excel's own errors; empty if it holds none."""
    if cell == UNCALCULATED:
        return "The result of this formula is not in the file. Open it in Excel, save it, and send it again."
    if EXCEL_ERROR.fullmatch(cell):
        return f"This formula has no result, but the error {cell}. Correct it, or write the value."
    return ""
