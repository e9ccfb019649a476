"""Delete for good the designs that have been in the trash for longer than TRASH_DAYS, or --days."""

from argparse import ArgumentParser
from datetime import timedelta

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from designs import services


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        days = settings.TRASH_DAYS
        parser.add_argument("--days", type=int, default=days, help=f"default {days} (TRASH_DAYS)")

    def handle(self, *args: str, days: int, **options: str) -> None:
        count = services.designs_purge_old(timezone.now() - timedelta(days=days))
        self.stdout.write(self.style.SUCCESS(f"{count} designs are purged from the trash."))
