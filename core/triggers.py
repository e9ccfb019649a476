"""Triggers and full-text tables that the apps keep in the database: what the code expects of it.

Each app registers its own as it starts. Its migrations hold them as frozen text (`manage.py print_triggers` prints
that), and core.checks compares a database with them.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# What a line about a user says once they have left: no name and no avatar. core.audit writes the same expression.
NAMELESS = (
    "json_replace({changes}, '$.username', json('[null,null]'), '$.avatar_object_key', json('[null,null]'))"
)
KEPT = ("id", "created_at", "actor_id", "action", "object_type", "object_id", "version")
# The one change that a line of the audit trail permits. IS, because a comparison with NULL would permit any.
ANONYMISED = (
    f"{' AND '.join(f'new.{column} IS old.{column}' for column in KEPT)} "
    "AND (new.actor_username IS old.actor_username OR new.actor_username IS 'deleted-' || old.actor_id) "
    "AND ((new.object_label IS old.object_label AND new.changes IS old.changes) "
    "OR (old.object_type IS 'user' AND new.object_label IS 'deleted-' || old.object_id "
    f"AND new.changes IS {NAMELESS.format(changes='old.changes')}))"
)
TRIGGERS = {
    "audit_entries_never_edited": (
        f"CREATE TRIGGER audit_entries_never_edited BEFORE UPDATE ON audit_entries WHEN NOT ({ANONYMISED}) "
        "BEGIN SELECT RAISE(ABORT, 'a line of the audit trail is never edited'); END"
    ),
}

_registered: dict[str, dict[str, str]] = {}
_setup: dict[str, list[str]] = {}
_recount: dict[str, list[str]] = {}


def register(
    app_label: str, objects: Mapping[str, str], *, setup: Sequence[str] = (), recount: Sequence[str] = ()
) -> None:
    """Expect these triggers and virtual tables of an app: their CREATE statements by name.

    `setup` are statements that configure and fill the virtual tables once they are there. `recount` are statements
    that make anew, of the rows themselves, what the triggers keep.
    """
    _registered[app_label] = dict(objects)
    _setup[app_label] = list(setup)
    _recount[app_label] = list(recount)


def expected() -> dict[str, str]:
    """The CREATE statement of every trigger and virtual table of all apps, by name."""
    return {name: sql for objects in _registered.values() for name, sql in objects.items()}


def of_app(app_label: str) -> dict[str, str]:
    """The same for one app; empty for an app without any."""
    return dict(_registered.get(app_label, {}))


def create_statements(app_label: str) -> list[str]:
    """What a migration executes to make an app's triggers and virtual tables, as frozen text."""
    return [*of_app(app_label).values(), *_setup.get(app_label, ())]


def drop_statements(app_label: str) -> list[str]:
    """What a migration executes to drop them."""
    return [
        f"DROP {'TRIGGER' if sql.startswith('CREATE TRIGGER') else 'TABLE'} IF EXISTS {name}"
        for name, sql in of_app(app_label).items()
    ]


def apps() -> list[str]:
    """The labels of the apps that registered any."""
    return list(_registered)


def drop_triggers(editor: BaseDatabaseSchemaEditor, app_label: str) -> None:
    """Drop an app's triggers, for bulk work that does without them."""
    for name, sql in of_app(app_label).items():
        if sql.startswith("CREATE TRIGGER"):
            editor.execute(f"DROP TRIGGER IF EXISTS {name}")


def create_triggers(editor: BaseDatabaseSchemaEditor, app_label: str) -> None:
    """Create the triggers that drop_triggers dropped."""
    for sql in of_app(app_label).values():
        if sql.startswith("CREATE TRIGGER"):
            editor.execute(sql)


@contextmanager
def suspended(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Do without triggers in this block, inside a transaction; what they keep is made anew at its end.

    The audit trail stays protected: the triggers of this app remain.
    """
    labels = [label for label in apps() if label != "core"]
    with connection.cursor() as cursor:
        found = {name: sql for label in labels for name, sql in of_app(label).items()}
        created = {name: sql for name, sql in found.items() if sql.startswith("CREATE TRIGGER")}
        for name in created:
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        yield
        for label in labels:
            for sql in _recount[label]:
                cursor.execute(sql)
        for sql in created.values():
            cursor.execute(sql)
