"""The catalogue as CSV: its columns, and a design as a row of them."""

from datetime import UTC
from typing import Any

from core.spreadsheets import as_cell
from designs import pictures
from designs.fields import EDITABLE
from designs.models import Design

COLUMNS = ("id", *EDITABLE, "image_keys", "created_at")


def values_of(design: Design) -> list[Any]:
    """The values of a design in the columns' order."""
    created_at = design.created_at.astimezone(UTC).isoformat()
    return [
        design.pk,
        *(getattr(design, name) for name in EDITABLE),
        pictures.as_cell(design.pictures),
        created_at,
    ]


def as_row(design: Design) -> dict[str, str]:
    """A design as cells by column."""
    return dict(zip(COLUMNS, map(as_cell, values_of(design)), strict=True))
