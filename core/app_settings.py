"""The settings that staff can change at run time: their names, values and changes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from core import audit
from core.errors import Invalid
from core.json_types import Json
from core.models import AppSetting
from d1backend import update_or_conflict

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


def settings_update(actor: audit.Actor | None, values: Mapping[str, Json]) -> list[AppSetting]:
    """Store the values, all or none, and audit each change. Return all settings as `all_settings` does.

    Raises Invalid as `check` does, and SerializationFailure or IntegrityError if another call has just set one of
    them. RepeatLostWrites (core/middleware.py) then runs the view again.
    """
    check(values)
    rows = {row.key: row for row in all_settings()}
    with transaction.atomic():
        for key, value in values.items():
            store(actor, rows[key], value)
    return list(rows.values())


def store(actor: audit.Actor | None, row: AppSetting, value: Json) -> None:
    """Store the value in a setting that was read, if it still has the value that was read; audit a change."""
    old, new = row.value, json.dumps(value, ensure_ascii=False)
    row.value = new
    if row.pk is None:
        row.save(force_insert=True)
    else:
        as_read = AppSetting.objects.filter(pk=row.pk, value=old)
        if new == old:
            # Written all the same: the row may have been read from an older copy.
            update_or_conflict(as_read, value=new)
            return
        row.updated_at = timezone.now()
        update_or_conflict(as_read, value=new, updated_at=row.updated_at)
    audit.record(actor, "settings.update", row, {"value": (json.loads(old), value)})
