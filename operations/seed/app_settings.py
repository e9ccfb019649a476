"""The settings of the seed that this gallery has too."""

import json
from datetime import datetime

from core.app_settings import KNOWN, fault_of
from core.json_types import Json
from core.models import AppSetting
from operations.seed import values
from operations.seed.report import LeftOut, quoted
from operations.seed.rows import Reader
from operations.seed.source import Row
from operations.seed.values import text_of

TABLE = "app_settings"
NEEDED = ("key", "value")
COLUMNS = ("id", *NEEDED, "description", "created_at", "updated_at")


class AppSettings:
    """Makes the settings: those of known keys, once each."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.taken: set[str] = set()

    def setting(self, row: Row, changes: list[str]) -> AppSetting:
        """The unsaved setting. Raises LeftOut."""
        read = Reader(row, changes, self.now)
        key = read.text("key")
        known = KNOWN.get(key)
        if known is None:
            raise LeftOut(f"this gallery has no setting {quoted(key)}.")
        if key in self.taken:
            raise LeftOut(f"the setting {quoted(key)} is there twice.")
        value = value_of(text_of(row["value"]), is_flag=isinstance(known.default, bool))
        fault = fault_of(value, known)
        if fault is not None:
            raise LeftOut(f"{quoted(key)} is {quoted(text_of(row['value']))}. {fault}")
        created, updated = read.dates()
        self.taken.add(key)
        return AppSetting(
            key=key,
            value=json.dumps(value, ensure_ascii=False),
            description=known.description,
            created_at=created,
            updated_at=updated,
        )


def value_of(text: str, *, is_flag: bool) -> Json:
    """The value of a setting, which the seed keeps as JSON or as plain text."""
    if is_flag:
        try:
            return values.flag(text.strip('"'))
        except ValueError:
            return text
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, str) else text
