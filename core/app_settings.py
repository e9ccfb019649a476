"""The settings that staff can change at run time: their names, values and changes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from core import audit
from core.errors import Invalid
from core.json_types import Json
from core.models import AppSetting

Value = bool | int | float | str


@dataclass(frozen=True)
class Known:
    """A known setting. Its type is that of its default."""

    default: Value
    description: str


KNOWN: dict[str, Known] = {
    "public_catalogue": Known(False, "Whether the catalogue can be read without signing in."),
    "registration_open": Known(True, "Whether new users may register."),
    "support_contact": Known("", "What the app shows to users who need help."),
}


def get(key: str) -> Value:
    """Return the value of a known setting, or its default."""
    stored = AppSetting.objects.filter(key=key).values_list("value", flat=True).first()
    value: Value = KNOWN[key].default if stored is None else json.loads(stored)
    return value


def all_settings() -> list[AppSetting]:
    """Return every known setting as a row, ordered by key. Rows of settings with their default are unsaved."""
    stored = {row.key: row for row in AppSetting.objects.filter(key__in=KNOWN)}
    return [
        stored.get(key) or AppSetting(key=key, value=json.dumps(known.default), description=known.description)
        for key, known in sorted(KNOWN.items())
    ]


def check(values: Mapping[str, Json]) -> None:
    """Raise Invalid, which names each unknown key and each value of the wrong type."""
    fields = {}
    for key, value in values.items():
        if key not in KNOWN:
            fields[f"settings.{key}"[:200]] = ["There is no such setting."]
        elif (sentence := wrong_type(value, KNOWN[key].default)) is not None:
            fields[f"settings.{key}"] = [sentence]
    if fields:
        raise Invalid("Nothing was changed, because some settings are not valid.", fields=fields)


def wrong_type(value: Json, default: Value) -> str | None:
    """Return a sentence if the value's type is not that of the default. An integer may stand for a float."""
    if isinstance(default, bool):
        return None if isinstance(value, bool) else "This must be true or false."
    if isinstance(default, str):
        return None if isinstance(value, str) and "\0" not in value else "This must be text."
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    return None if good else "This must be a number."


@transaction.atomic
def settings_update(actor: audit.Actor | None, values: Mapping[str, Json]) -> None:
    """Store the values, all or none, and audit each change. Raises Invalid as `check` does."""
    check(values)
    rows = {row.key: row for row in all_settings()}
    for key, value in values.items():
        row, text = rows[key], json.dumps(value, ensure_ascii=False)
        if row.pk is not None and row.value == text:
            continue
        old, row.value = json.loads(row.value), text
        row.save()
        audit.record(actor, "settings.update", row, {"value": (old, value)})
