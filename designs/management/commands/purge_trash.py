"""Delete for good the designs that have been in the trash for longer than TRASH_DAYS, or --days.

On this host, also the files of imports that nobody has gone on with for a day.
"""

from argparse import ArgumentParser
from datetime import timedelta

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from designs import services
from designs.sheets import uploads


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        days = settings.TRASH_DAYS
        parser.add_argument("--days", type=int, default=days, help=f"default {days} (TRASH_DAYS)")

    def handle(self, *args: str, days: int, **options: str) -> None:
        count = services.designs_purge_old(timezone.now() - timedelta(days=days))
        uploads.remove_old()
        self.stdout.write(self.style.SUCCESS(f"{count} designs are purged from the trash."))
