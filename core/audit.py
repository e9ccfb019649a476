"""The audit trail: services record each change of staff here, in the transaction of the change."""

from typing import Any, Protocol

from django.db.models import Model

from core.models import AuditEntry
from d1backend import insert_unkeyed

LABEL_LENGTH = 255
SECRET_FIELDS = frozenset({"password", "password_hash"})
HIDDEN = "(hidden)"

Changes = dict[str, tuple[Any, Any]]


class Actor(Protocol):
    """Who did it: a user of accounts, which this module does not know."""

    pk: Any
    username: str


def record(actor: Actor | None, action: str, target: Model, changes: Changes | None = None) -> None:
    """Write one line: `actor` (None: the system) did `action` to `target`.

    `changes` maps a field to its (old, new) values, which must be JSON-serialisable; those of secret fields
    are replaced. Call it inside the transaction of the change, before the target is deleted.
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
    )
    insert_unkeyed(line)
