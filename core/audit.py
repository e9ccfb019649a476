"""The audit trail. Services record each change by staff here, in the transaction of the change."""

from collections.abc import Mapping
from typing import Protocol

from django.db.models import F, Func, JSONField, Model

from core import selectors
from core.json_types import Json
from core.models import AuditEntry
from core.triggers import NAMELESS
from d1backend import insert_unkeyed, update_uncounted

LABEL_LENGTH = 255
SECRET_FIELDS = frozenset({"password", "password_hash"})
HIDDEN = "(hidden)"
ANONYMOUS_PREFIX = "deleted-"  # core.triggers has it, too

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


def anonymous_name(user_id: int) -> str:
    """The name under which the trail shows a user who has left."""
    return f"{ANONYMOUS_PREFIX}{user_id}"


class Nameless(Func):
    """The changes of a line about a user, without names and avatar."""

    template = NAMELESS.format(changes="%(expressions)s")
    output_field = JSONField()


def anonymise(user: Actor) -> None:
    """Replace the names of a user who leaves, in the lines of their work and in those about them.

    `user` has the name that they had last. Call it inside the transaction of their deletion.
    """
    name = anonymous_name(user.pk)
    # First, because it finds earlier names in the lines that the second one empties.
    update_uncounted(selectors.entries_by(user.pk, user.username), actor_username=name)
    about = AuditEntry.objects.filter(object_type=selectors.USER, object_id=str(user.pk))
    update_uncounted(about, object_label=name, changes=Nameless(F("changes")))
