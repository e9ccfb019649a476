"""How a design gets its next version: read under a lock or compared at the commit, with its line in the audit trail."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from core import audit
from d1backend import SerializationFailure, update_or_conflict
from designs.fields import SEARCH_WEIGHTS, Values, folded_text
from designs.models import Design
from designs.picture_change import NO_PICTURES, PictureChange

NAMES_IN_TRAIL = {"image": "image_keys", "image_alt": "image_keys"}

# (old, new) by the name of the field in the audit trail.
Changes = dict[str, tuple[Any, Any]]


def lock(design: Design, pictures: PictureChange = NO_PICTURES) -> None:
    """Read the design again, where a transaction locks the database, so that its version is still the newest.

    D1 locks nothing: the commit compares the version. Raises SerializationFailure if the design is in the trash or
    gone, or does not have the pictures any more that their change depends on.
    """
    if not hasattr(connection, "round_trips"):
        try:
            design.refresh_from_db()
        except Design.DoesNotExist:
            raise SerializationFailure("The design has been purged. Run it again.") from None
        if not pictures.fits(design):
            raise SerializationFailure("The design has other pictures now. Run it again.")
    if design.is_deleted:
        raise SerializationFailure("The design is in the trash. Run it again.")


def changes_of(design: Design, values: Values) -> Changes:
    """The old and the new value of each of the audited values that differs from what the design has."""
    return {name: (old, new) for name, new in values.items() if (old := getattr(design, name)) != new}


def changed(columns: Values, changes: Collection[str]) -> Values:
    """The columns of the values that change."""
    return {name: value for name, value in columns.items() if NAMES_IN_TRAIL.get(name, name) in changes}


def store_version(
    actor: audit.Actor | None,
    action: str,
    design: Design,
    columns: Values,
    changes: Changes,
    *conditions: Q,
    pictures: PictureChange = NO_PICTURES,
) -> None:
    """Store columns as the next version of a design, in the row and in `design`, with its line in the audit trail.

    Raises SerializationFailure if the row has another version than `design`, or does not meet the conditions.
    """
    columns = {**columns, "version": design.version + 1, "updated_at": timezone.now()}
    if not SEARCH_WEIGHTS.keys().isdisjoint(columns):
        columns["folded"] = folded_text({**vars(design), **columns})
    update_or_conflict(Design.objects.filter(*conditions, pk=design.pk, version=design.version), **columns)
    for name, value in columns.items():
        setattr(design, name, value)
    if "image_keys" in changes:
        pictures.store(design)
    audit.record(actor, action, design, as_json(changes), version=design.version)


def as_json(changes: Changes) -> audit.Changes:
    """The changes with times as text."""

    def text_of(value: Any) -> Any:
        return value.isoformat() if isinstance(value, datetime) else value

    return {name: (text_of(old), text_of(new)) for name, (old, new) in changes.items()}
