"""The audit trail. Services record each change by staff here, in the transaction of the change."""

from collections.abc import Mapping
from typing import Protocol

from django.db.models import Model

from core.json_types import Json
from core.models import AuditEntry
from d1backend import insert_unkeyed

LABEL_LENGTH = 255
SECRET_FIELDS = frozenset({"password", "password_hash"})
HIDDEN = "(hidden)"

Changes = Mapping[str, tuple[Json, Json]]


class Actor(Protocol):
    """The user who made a change: accounts.User, which core does not import."""

    pk: int
    username: str


def record(
    actor: Actor | None,
    action: str,
    target: Model,
    changes: Changes | None = None,
    *,
    version: int | None = None,
) -> None:
    """Write one entry: `actor` (None: the system) did `action` to `target`, and made its `version`, if it has any.

    `changes` maps fields to their (old, new) values, which must be JSON-serialisable. The values of secret fields
    are hidden. Call it inside the transaction of the change, and before the target is deleted.
    """
    hidden = SECRET_FIELDS.union(getattr(target, "secret_fields", ()))
    line = AuditEntry(
        actor_id=actor.pk if actor else None,
        actor_username=actor.username if actor else "",
        action=action,
        object_type=target._meta.model_name or "",
        object_id=str(target.pk),
        object_label=str(target)[:LABEL_LENGTH],
        changes={
            field: [HIDDEN, HIDDEN] if field in hidden else list(pair)
            for field, pair in (changes or {}).items()
        },
        version=version,
    )
    insert_unkeyed(line)
