"""manage.py clean_uploads: removes what uploads left behind."""

from argparse import ArgumentParser
from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError

from core.errors import Unavailable
from uploads.cleaning import clean


class Command(BaseCommand):
    help = (
        "Removes uploads never completed, temporary images, unused avatars and objects without an image; "
        "reports images whose objects are missing. Safe during uploads, and as a cron job."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only print what would be removed")
        parser.add_argument(
            "--older-than",
            type=float,
            default=24.0,
            metavar="HOURS",
            help="keep what is younger (default 24)",
        )

    def handle(self, *args: str, older_than: float, dry_run: bool, verbosity: int, **options: str) -> None:
        hours = older_than
        if not 0 <= hours < 1_000_000:
            raise CommandError("--older-than must be a number of hours, 0 or more.")
        try:
            report = clean(timedelta(hours=hours), dry_run=dry_run)
        except Unavailable as error:
            raise CommandError(error.message) from error
        verb = "would be removed" if dry_run else "removed"
        for what, keys in {
            f"uploads never completed {verb}": report.pending,
            f"temporary or unused images {verb}": report.discarded,
            f"objects without an image {verb}": report.orphans,
            "objects missing (please check these)": report.missing,
        }.items():
            self.stdout.write(f"{len(keys):6} {what}")
            if verbosity > 1 or dry_run or keys is report.missing:
                for key in keys:
                    self.stdout.write(f"       {key}")
