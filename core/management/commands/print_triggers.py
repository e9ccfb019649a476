"""Print the SQL of an app's triggers and full-text tables as Python lists, to be frozen in a migration.

A migration that remakes a table drops the triggers first and creates them at its end: SQLite drops the triggers of a
table with it, and refuses to rename a table while another trigger names one that is missing.
"""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from core import triggers


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("app_label", choices=triggers.apps())

    def handle(self, *args: str, app_label: str, **options: str) -> None:
        self.print_list("CREATE", triggers.create_statements(app_label))
        self.print_list("DROP", triggers.drop_statements(app_label))

    def print_list(self, name: str, statements: list[str]) -> None:
        self.stdout.write(f"{name} = [")
        for statement in statements:
            self.stdout.write(f"    {statement!r},")
        self.stdout.write("]")
