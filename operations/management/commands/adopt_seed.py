"""manage.py adopt_seed: takes the database of the service before this one."""

import os
from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from core.errors import Unavailable
from d1backend.replica import on_primary
from operations.interrupts import stoppable
from operations.seed import SeedError
from operations.seed.adoption import Adoption, Options
from operations.seed.report import Report
from operations.seed.source import HOW_TO_NAME, opened

WROTE_NOTHING = "This run wrote nothing."
AGAIN = "What is written so far is whole: run the same command again, and it goes on from there."


class Command(BaseCommand):
    help = (
        "Takes users, designs, favourites and settings of the seed, a FastAPI service on D1 or SQLite, into this "
        "gallery's empty database. Without --apply it only says what it would do. It never writes to the seed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="source", required=True, metavar="DATABASE", help=HOW_TO_NAME)
        parser.add_argument("--apply", action="store_true", help="write, after the same checks")
        parser.add_argument(
            "--rename",
            action="store_true",
            help="give users whose names cannot be kept another one (“a b” becomes “a-b”, a second “asha” “asha-2”)",
        )
        parser.add_argument(
            "--report", type=Path, metavar="FILE", help="write all notes to FILE.csv or FILE.json"
        )
        parser.add_argument(
            "--workers", type=int, default=os.cpu_count() or 1, help="processes for pictures (one per core)"
        )

    def handle(
        self, *args: str, source: str, apply: bool, report: Path | None, workers: int, **options: bool
    ) -> None:
        if workers < 1:
            raise CommandError("--workers must be at least 1.")
        chosen = Options(rename=options["rename"], workers=workers)
        began = False
        try:
            with stoppable(lambda: f"Stopped. {AGAIN if began else WROTE_NOTHING}"):
                if report is not None:
                    Report().write(report)  # what cannot be written is known before anything is
                with opened(source) as seed, on_primary():
                    adoption = Adoption(seed, chosen, self.progress if options["verbosity"] else quiet)
                    found = Report(keeps_all=report is not None)
                    if apply:
                        adoption.check(Report())
                        began = True
                        adoption.apply(found)
                    else:
                        adoption.check(found)
                self.show(found, source, report, applied=apply)
        except SeedError as error:
            raise CommandError(str(error)) from error
        except (Error, Unavailable) as error:
            raise CommandError(f"{str(error).rstrip('.')}. {AGAIN if began else WROTE_NOTHING}") from error

    def progress(self, table: str, written: int) -> None:
        self.stdout.write(f"{table}: {written} written")

    def show(self, found: Report, source: str, path: Path | None, *, applied: bool) -> None:
        if path is not None:
            found.write(path, source=source, applied=applied)
        self.stdout.write(f"{source} {'is adopted' if applied else '(a dry run: nothing is written)'}")
        for line in found.lines():
            self.stdout.write(line)
        if path is not None:
            self.stdout.write(f"All notes are in {path}.")
        if not applied:
            self.stdout.write("The same command with --apply does it.")


def quiet(table: str, written: int) -> None:
    """Say nothing."""
