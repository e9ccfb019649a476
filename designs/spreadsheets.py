"""The catalogue as CSV: its columns, and a design as a row of them."""

from datetime import UTC, datetime
from typing import Any

from core.spreadsheets import as_cell
from designs import pictures
from designs.fields import EDITABLE
from designs.models import Design

# The last two are those of a design in the trash: the status that a restore gives, and since when it is there.
COLUMNS = ("id", *EDITABLE, "image_keys", "created_at", "trashed_status", "deleted_at")


def values_of(design: Design) -> list[Any]:
    """The values of a design in the columns' order."""
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


def as_row(design: Design) -> dict[str, str]:
    """A design as cells by column."""
    return dict(zip(COLUMNS, map(as_cell, values_of(design)), strict=True))
