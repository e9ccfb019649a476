"""Print the page docs/settings.md: every variable of the environment, as it is declared (core/variables)."""

from django.core.management.base import BaseCommand

from core.variables import page


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def handle(self, *args: str, **options: str) -> None:
        self.stdout.write(page.markdown(), ending="")
