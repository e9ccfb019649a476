"""Delete again whoever deleted their account and came back with a restored database. Run it after every restore."""

from django.core.management.base import BaseCommand, CommandError

from accounts import deletion
from core.errors import Unavailable


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: str, **options: str) -> None:
        try:
            report = deletion.erase_again()
        except Unavailable as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{len(report.erased):6} restored accounts deleted again")
        self.stdout.write(f"{len(report.kept):6} ids kept outside the database only now")
        if report.erased and not report.has_admin:
            self.stdout.write(
                self.style.WARNING("No approved admin is left. Make one with manage.py create_admin.")
            )
