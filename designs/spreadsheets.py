"""The catalogue as CSV: its columns, and a design as a row of them."""

from datetime import UTC

from core.spreadsheets import as_cell
from designs.models import Design
from designs.services import EDITABLE

COLUMNS = ("id", *EDITABLE, "created_at")


def values_of(design: Design) -> list[object]:
    """What stands in the columns of a design."""
    created_at = design.created_at.astimezone(UTC).isoformat()
    return [design.pk, *(getattr(design, name) for name in EDITABLE), created_at]


def as_row(design: Design) -> dict[str, str]:
    """A design as cells by column."""
    return dict(zip(COLUMNS, map(as_cell, values_of(design)), strict=True))
