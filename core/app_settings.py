"""The settings that staff can change at run time: their names, values and changes."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from django.utils import timezone

from core import audit
from core.errors import Invalid
from core.json_types import Json
from core.models import AppSetting
from d1backend import SerializationFailure, update_or_conflict

Value = bool | int | float | str


TEXT_LENGTH = 500  # characters
NO_TEXT = frozenset(["\0", *map(chr, range(0xD800, 0xE000))])  # NUL and lone surrogates
VERSION = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,3}")
is_web_address = URLValidator(schemes=["https", "http"])


def fault_of_address(value: str) -> str | None:
    """Return a sentence unless the text is empty or an address of the web."""
    try:
        if value:
            is_web_address(value)
    except ValidationError:
        return "This must be a web address, like https://example.com/privacy, or empty."
    return None


def fault_of_version(value: str) -> str | None:
    """Return a sentence unless the text is empty or a version of up to four numbers."""
    return None if not value or VERSION.fullmatch(value) else "This must be a version, like 2.4.1, or empty."


@dataclass(frozen=True)
class Known:
    """A known setting. Its type is that of its default; `fault_of` returns a sentence for a text that is not valid."""

    default: Value
    description: str
    fault_of: Callable[[str], str | None] = lambda value: None


KNOWN: dict[str, Known] = {
    "public_catalogue": Known(False, "Whether the catalogue can be read without signing in."),
    "registration_open": Known(True, "Whether new users may register."),
    "support_contact": Known("", "What the app shows to users who need help."),
    "min_app_version": Known(
        "", "The oldest version of the app that still works here, like 2.4.1.", fault_of_version
    ),
    "privacy_url": Known("", "The address of the page about privacy.", fault_of_address),
    "terms_url": Known("", "The address of the terms of use.", fault_of_address),
}


def get(key: str) -> Value:
    """Return the value of a known setting, or its default."""
    stored = AppSetting.objects.filter(key=key).values_list("value", flat=True).first()
    value: Value = KNOWN[key].default if stored is None else json.loads(stored)
    return value


def all_values() -> dict[str, Value]:
    """Return the value of every known setting, in one query."""
    return {row.key: json.loads(row.value) for row in all_settings()}


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
        elif (sentence := fault_of(value, KNOWN[key])) is not None:
            fields[f"settings.{key}"] = [sentence]
    if fields:
        raise Invalid("Nothing was changed, because some settings are not valid.", fields=fields)


def fault_of(value: Json, known: Known) -> str | None:
    """Return a sentence if the value is none of this setting. An integer may stand for a float."""
    if isinstance(known.default, bool):
        return None if isinstance(value, bool) else "This must be true or false."
    if isinstance(known.default, str):
        if not isinstance(value, str) or not set(value).isdisjoint(NO_TEXT):
            return "This must be text."
        if len(value) > TEXT_LENGTH:
            return f"This may have at most {TEXT_LENGTH} characters."
        return known.fault_of(value)
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    return None if good else "This must be a number."


def settings_update(
    actor: audit.Actor | None, values: Mapping[str, Json], seen: Mapping[str, Json] | None = None
) -> list[AppSetting]:
    """Store the values, all or none, and audit each change. Return all settings as `all_settings` does.

    `seen` are the values that the caller replaces, if it depends on them.
    Raises Invalid as `check` does, and SerializationFailure or IntegrityError if another call has just set one of
    them. RepeatLostWrites (core/middleware.py) then runs the view again.
    """
    check(values)
    rows = {row.key: row for row in all_settings()}
    if any(json.loads(rows[key].value) != value for key, value in (seen or {}).items()):
        raise SerializationFailure("A setting has another value than the caller saw. Run it again.")
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
