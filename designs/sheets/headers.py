"""Which column of a file is which column of a design, by the names in its first row."""

import difflib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import Invalid
from designs.fields import EDITABLE

# Those of an export, in their order. The last two are those of a design in the trash: the status that a restore gives,
# and since when it is there.
COLUMNS = ("id", *EDITABLE, "image_keys", "created_at", "trashed_status", "deleted_at")
FILE = "image"  # the name of a picture's file, which an import alone takes
MOST_COLUMNS = 100
# What people and the console call a column. Case, spaces and signs do not count.
NAMES = {
    "id": ("Id", "Number", "No", "Design", "Design id"),
    "title": ("Title", "Name"),
    "description": ("Description", "Text"),
    "category": ("Category",),
    "style": ("Style",),
    "colour": ("Colour", "Color"),
    "fabric": ("Fabric",),
    "occasion": ("Occasion",),
    "season": ("Season",),
    "designer_name": ("Designer name", "Designer"),
    "collection_name": ("Collection name", "Collection"),
    "r2_object_key": ("Picture key", "R2 object key", "Object key", "Image key", "Cover"),
    "featured": ("Featured",),
    "status": ("Status",),
    "image_keys": ("All pictures", "Pictures", "Image keys"),
    "created_at": ("Created", "Created at", "Date", "Date created"),
    FILE: ("Image", "Picture", "Image file", "Picture file", "File", "File name"),
    "trashed_status": ("Trashed status",),
    "deleted_at": ("Deleted at", "Deleted"),
}


def plain(name: str) -> str:
    """A name without what people write in different ways: case, spaces, signs."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(character for character in folded if character.isalnum())


BY_NAME = {plain(name): column for column, names in NAMES.items() for name in (column, *names)}


def label_of(column: str) -> str:
    """What people call a column that the file itself does not name."""
    return NAMES[column][0] if column in NAMES else column


def column_of(name: str) -> str | None:
    return BY_NAME.get(plain(name))


def letters_of(place: int) -> str:
    """The letters of a column in a spreadsheet; the first, of place 0, is A."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


@dataclass(frozen=True)
class Headers:
    """The column of a design for each column of the file (None has no name), and its name in the file."""

    columns: tuple[str | None, ...]
    names: tuple[str, ...]

    def place_of(self, column: str) -> int | None:
        return self.columns.index(column) if column in self.columns else None

    def name_of(self, column: str) -> str:
        place = self.place_of(column)
        return label_of(column) if place is None else self.names[place]


def headers_of(number: int, cells: Sequence[str]) -> Headers:
    """Read the row that names the columns. Raises Invalid, which tells of each name that is unknown or doubled."""
    names = [cell.strip().lstrip("\ufeff") for cell in cells]
    while names and not names[-1]:
        names.pop()
    if len(names) > MOST_COLUMNS:
        raise Invalid(f"Row {number} has more than {MOST_COLUMNS} columns.")
    columns = [column_of(name) if name else None for name in names]
    wrong = [*unknown_names(number, names, columns), *doubled_names(number, names, columns)]
    if not any(columns):
        wrong.insert(0, f"Row {number} names no column of a design. Begin the table with {template_names()}.")
    if wrong:
        raise Invalid("\n".join(wrong))
    return Headers(tuple(columns), tuple(names))


def template_names() -> str:
    return ", ".join(label_of(column) for column in ("title", "category", FILE))


def unknown_names(number: int, names: Sequence[str], columns: Sequence[str | None]) -> list[str]:
    wrong = []
    for place, (name, column) in enumerate(zip(names, columns, strict=True)):
        if name and column is None:
            (near,) = difflib.get_close_matches(plain(name), BY_NAME, n=1) or ("",)
            help_ = f"Did you mean {label_of(BY_NAME[near])}?" if near else "Rename the column, or remove it."
            wrong.append(f"Row {number}, column {letters_of(place)}: no column is called “{name}”. {help_}")
    return wrong


def doubled_names(number: int, names: Sequence[str], columns: Sequence[str | None]) -> list[str]:
    wrong = []
    for place, column in enumerate(columns):
        first = columns.index(column)
        if column is not None and first < place:
            wrong.append(
                f"Row {number}, columns {letters_of(first)} and {letters_of(place)}: “{names[first]}” and "
                f"“{names[place]}” are the same column. Remove one of them."
            )
    return wrong
