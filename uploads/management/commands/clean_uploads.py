"""manage.py clean_uploads: removes what uploads left behind."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.errors import Unavailable
from uploads.cleaning import clean


class Command(BaseCommand):
    help = (
        "Removes uploads never completed, temporary images, avatars no longer worn and objects that no image "
        "names; reports images whose objects are gone. Safe while uploads go on, and as a cron job."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only tell what would be removed")
        parser.add_argument(
            "--older-than",
            type=float,
            default=24.0,
            metavar="HOURS",
            help="leave what is younger (default 24)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        hours = options["older_than"]
        if not 0 <= hours < 1_000_000:
            raise CommandError("--older-than must be a number of hours, 0 or more.")
        try:
            report = clean(timedelta(hours=hours), dry_run=options["dry_run"])
        except Unavailable as error:
            raise CommandError(error.message) from error
        verb = "would be removed" if options["dry_run"] else "removed"
        for what, keys in {
            f"uploads never completed {verb}": report.pending,
            f"temporary or unworn images {verb}": report.discarded,
            f"objects without an image {verb}": report.orphans,
            "objects missing (a person must look)": report.missing,
        }.items():
            self.stdout.write(f"{len(keys):6} {what}")
            if options["verbosity"] > 1 or options["dry_run"] or keys is report.missing:
                for key in keys:
                    self.stdout.write(f"       {key}")
