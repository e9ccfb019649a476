"""`python -m d1backend.local.round_trips` counts the requests to D1's API for each kind of operation.

It runs on the local engine, in a new database. A process's first transaction that inserts into a table takes one
request more, which reserves a block of keys.
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

Run = Callable[[], Any]
Operation = tuple[str, Run]


def main() -> None:
    with D1Local(autocreate=True) as engine:
        options = {"account_id": "local", "api_token": engine.token, "base_url": engine.url}
        settings.configure(
            DATABASES={"default": {"ENGINE": "d1backend", "NAME": "round-trips", "OPTIONS": options}},
            INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"],
            USE_TZ=True,
        )
        django.setup()
        lines = [measure("migrate from nothing", lambda: call_command("migrate", verbosity=0))]
        lines += [measure("migrate, nothing to do", lambda: call_command("migrate", verbosity=0))]
        lines += [measure(name, run) for name, run in operations()]
    width = max(len(name) for name, _ in lines)
    for name, taken in lines:
        sys.stdout.write(f"{name:{width}}  {taken:3}\n")


def measure(name: str, run: Run) -> tuple[str, int]:
    before = connection.round_trips  # type: ignore[attr-defined]
    run()
    return name, connection.round_trips - before  # type: ignore[attr-defined]


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
    doomed = notes.create(text="to delete")

    serial = itertools.count()

    def three(between: Run = lambda: None) -> None:
        with transaction.atomic():
            for _ in range(3):
                notes.create(text=f"note {next(serial)}")
            between()

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
        ("create", lambda: notes.create(text="created")),
        ("save of an existing row", first.save),
        ("update", lambda: notes.filter(pk=first.pk).update(stars=models.F("stars") + 1)),
        ("delete", doomed.delete),
        ("get", lambda: notes.get(pk=first.pk)),
        ("filter", lambda: list(notes.filter(stars__gte=0))),
        ("atomic(), three creates, no keys held yet", three),
        ("atomic(), three creates", three),
        ("the same with a read of what it wrote", lambda: three(notes.count)),
        ("get_or_create, exists", lambda: notes.get_or_create(text="first")),
        ("get_or_create, makes it", lambda: notes.get_or_create(text="new")),
        ("update_or_create, exists", lambda: notes.update_or_create(text="first", defaults={"stars": 3})),
        ("an exception in atomic()", failing),
        ("select_for_update(), save()", locked),
        ("bulk_create of 100", lambda: notes.bulk_create(Note(text=f"bulk {i}") for i in range(100))),
    ]


if __name__ == "__main__":
    main()
