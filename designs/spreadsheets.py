"""The catalogue as CSV: the columns, and cells that no spreadsheet reads as a formula."""

import re
from datetime import UTC
from typing import Any

from designs.models import Design
from designs.services import EDITABLE

COLUMNS = ("id", *EDITABLE, "created_at")
# A spreadsheet runs a cell that begins so (https://owasp.org/www-community/attacks/CSV_Injection). With an
# apostrophe before it, it is text; where one stands already it gets another, and comes back as it was.
FORMULA = re.compile(r"'*[=+\-@\t\r]")
MARKED_FORMULA = re.compile(r"'+[=+\-@\t\r]")


def as_row(design: Design) -> dict[str, str]:
    """A design as cells by column."""
    cells = {name: as_cell(getattr(design, name)) for name in EDITABLE}
    return {"id": str(design.pk), **cells, "created_at": design.created_at.astimezone(UTC).isoformat()}


def as_cell(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return f"'{text}" if FORMULA.match(text) else text


def of_cell(cell: str) -> str:
    """The text that as_cell made this cell of."""
    return cell[1:] if MARKED_FORMULA.match(cell) else cell
