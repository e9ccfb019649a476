"""`python -m d1backend.local.round_trips` counts what each kind of operation costs on D1: requests to its API, and rows
read and written, by which D1 bills.

It runs on the local engine, in a new database of 60 tables, and each operation twice: on a connection that has been
used before, and on a new one. The rows of rehearsals are not counted: D1 does not report them.
"""

import itertools
import sys
from collections.abc import Callable
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connection, models, transaction

from d1backend.local.engine import D1Local
from d1backend.protocol.api import Usage
from d1backend.transaction import keys

Run = Callable[[], Any]
Operation = tuple[str, Run]
# A line of the table: what an operation used on a kept and on a new connection.
Line = tuple[str, Usage, Usage | None]


def main() -> None:
    with D1Local(autocreate=True) as engine:
        options = {"account_id": "local", "api_token": engine.token, "base_url": engine.url}
        settings.configure(
            DATABASES={"default": {"ENGINE": "d1backend", "NAME": "round-trips", "OPTIONS": options}},
            INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"],
            USE_TZ=True,
        )
        django.setup()
        lines: list[Line] = [
            ("migrate from nothing", measure(lambda: call_command("migrate", verbosity=0)), None),
            ("migrate, nothing to do", measure(lambda: call_command("migrate", verbosity=0)), None),
        ]
        enlarge_schema()
        lines += [(name, measure(run), measure(run, fresh=True)) for name, run in operations()]
    print_table(lines)


def print_table(lines: list[Line]) -> None:
    width = max(len(name) for name, _, _ in lines)
    sys.stdout.write(f"{'':{width}}  kept connection        new connection\n")
    sys.stdout.write(f"{'':{width}}" + "  trips   read written" * 2 + "\n")
    for name, *usages in lines:
        cells = [f"  {u.round_trips:5} {u.rows_read:6} {u.rows_written:7}" for u in usages if u is not None]
        sys.stdout.write(f"{name:{width}}{''.join(cells)}\n")


def measure(run: Run, *, fresh: bool = False) -> Usage:
    """What a call uses; with `fresh`, on a new connection."""
    if fresh:
        connection.close()
    before: Usage = connection.usage  # type: ignore[attr-defined]
    run()
    after: Usage = connection.usage  # type: ignore[attr-defined]
    return after.since(before)


def enlarge_schema() -> None:
    """Add 50 tables of ten columns and two indexes each."""
    columns = ", ".join(f"c{i} varchar(50) NOT NULL" for i in range(9))
    with transaction.atomic(), connection.cursor() as cursor:
        for n in range(50):
            cursor.execute(f"CREATE TABLE extra{n} (id integer PRIMARY KEY AUTOINCREMENT, {columns})")
            for column in ("c0", "c1"):
                cursor.execute(f"CREATE INDEX extra{n}_{column} ON extra{n} ({column})")


def operations() -> list[Operation]:
    """Return operations on a model with two columns, under the names that the table prints."""

    class Note(models.Model):
        text = models.CharField(max_length=50, unique=True)
        stars = models.IntegerField(default=0)

        class Meta:
            app_label = "round_trips"

    with connection.schema_editor() as editor:
        editor.create_model(Note)
    notes = Note._default_manager
    first = notes.create(text="first")
    serial = itertools.count()
    doomed = [notes.create(text="to delete"), notes.create(text="to delete as well")]

    def three(between: Run = lambda: None) -> None:
        with transaction.atomic():
            for _ in range(3):
                notes.create(text=f"note {next(serial)}")
            between()

    def three_without_keys() -> None:
        connection.ensure_connection()
        keys.forget(connection.connection.identity)
        three()

    def failing() -> None:
        try:
            with transaction.atomic():
                notes.create(text="never")
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass

    def locked() -> None:
        with transaction.atomic():
            note = notes.select_for_update().get(pk=first.pk)
            note.stars += 1
            note.save()

    return [
        ("create", lambda: notes.create(text=f"created {next(serial)}")),
        ("save of an existing row", first.save),
        ("update", lambda: notes.filter(pk=first.pk).update(stars=models.F("stars") + 1)),
        ("delete", lambda: doomed.pop().delete()),
        ("get", lambda: notes.get(pk=first.pk)),
        ("filter", lambda: list(notes.filter(stars__gte=0))),
        ("atomic(), three creates, no keys held yet", three_without_keys),
        ("atomic(), three creates", three),
        ("the same with a read of what it wrote", lambda: three(notes.count)),
        ("get_or_create, exists", lambda: notes.get_or_create(text="first")),
        ("get_or_create, makes it", lambda: notes.get_or_create(text=f"new {next(serial)}")),
        ("update_or_create, exists", lambda: notes.update_or_create(text="first", defaults={"stars": 3})),
        ("an exception in atomic()", failing),
        ("select_for_update(), save()", locked),
        (
            "bulk_create of 100",
            lambda: notes.bulk_create(Note(text=f"bulk {next(serial)}") for _ in range(100)),
        ),
    ]


if __name__ == "__main__":
    main()
