"""The settings that staff change at run time: which there are, what they hold now, and changing them."""

import json
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from core import audit
from core.errors import Invalid
from core.models import AppSetting

Value = bool | int | float | str


@dataclass(frozen=True)
class Known:
    """A setting's type is that of its default."""

    default: Value
    description: str


KNOWN: dict[str, Known] = {
    "public_catalogue": Known(False, "Whether the catalogue can be read without signing in."),
    "registration_open": Known(True, "Whether newcomers may register."),
    "support_contact": Known("", "What the app shows to users who need help."),
}


def get(key: str) -> Any:
    """The value of a known setting; its default where nobody has set it."""
    stored = AppSetting.objects.filter(key=key).values_list("value", flat=True).first()
    return KNOWN[key].default if stored is None else json.loads(stored)


def all_settings() -> list[AppSetting]:
    """Every known setting as a row, in the order of keys; rows nobody has set are unsaved ones."""
    stored = {row.key: row for row in AppSetting.objects.filter(key__in=KNOWN)}
    return [
        stored.get(key) or AppSetting(key=key, value=json.dumps(known.default), description=known.description)
        for key, known in sorted(KNOWN.items())
    ]


def check(values: dict[str, Any]) -> None:
    """Raise Invalid, naming each unknown key and each value of the wrong type."""
    fields = {}
    for key, value in values.items():
        if key not in KNOWN:
            fields[f"settings.{key}"[:200]] = ["There is no such setting."]
        elif (sentence := wrong_type(value, KNOWN[key].default)) is not None:
            fields[f"settings.{key}"] = [sentence]
    if fields:
        raise Invalid("Nothing was changed: some settings are not valid.", fields=fields)


def wrong_type(value: Any, default: Value) -> str | None:
    """A sentence where the value's type is not the default's; a whole number may stand for a fraction."""
    if isinstance(default, bool):
        return None if isinstance(value, bool) else "This must be true or false."
    if isinstance(default, str):
        return None if isinstance(value, str) and "\0" not in value else "This must be text."
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    return None if good else "This must be a number."


@transaction.atomic
def settings_update(actor: audit.Actor | None, values: dict[str, Any]) -> None:
    """Store the values, all or none, and audit each that changed. Raises Invalid as `check` does."""
    check(values)
    rows = {row.key: row for row in all_settings()}
    for key, value in values.items():
        row, text = rows[key], json.dumps(value, ensure_ascii=False)
        if row.pk is not None and row.value == text:
            continue
        old, row.value = json.loads(row.value), text
        row.save()
        audit.record(actor, "settings.update", row, {"value": (old, value)})
