"""The names of backups, which say when they were taken."""

import re
from datetime import UTC, datetime

_NAME = re.compile(r"gallery-([0-9]{8}T[0-9]{6}Z)\.backup")
_TIME = "%Y%m%dT%H%M%SZ"


def name_of(moment: datetime) -> str:
    """The name of a backup taken at that moment, whose zone must be known."""
    return f"gallery-{moment.astimezone(UTC).strftime(_TIME)}.backup"


def moment_of(name: str) -> datetime | None:
    """When the backup of that name was taken; None for another name."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    try:
        return datetime.strptime(found[1], _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None
