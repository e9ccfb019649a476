"""Delete the sign-ins that ended or expired more than some days ago."""

from argparse import ArgumentParser
from datetime import timedelta

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts import sessions

KEPT_DAYS = 7


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=KEPT_DAYS, help=f"default {KEPT_DAYS}")

    def handle(self, *args: str, days: int, **options: str) -> None:
        count = sessions.sessions_delete_old(timezone.now() - timedelta(days=days))
        self.stdout.write(self.style.SUCCESS(f"{count} old sign-ins are deleted."))
