"""Store synonyms of searches from a CSV file or an Excel workbook: all valid rows at once.

A row changes the synonym of the same kind and phrase, or adds one. `--shipped`, in place of a file, adds those that
this release ships and the table does not have, also ones that were deleted.
"""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from core import races
from core.errors import Invalid
from designs import synonym_csv
from designs.synonym_csv import Numbered


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("file", nargs="?", type=Path, help="its first row names the columns")
        what.add_argument("--shipped", action="store_true", help="those of this release that are missing")
        parser.add_argument("--dry-run", action="store_true", help="check every row and store nothing")

    def handle(self, *args: str, file: Path | None, shipped: bool, dry_run: bool, **options: str) -> None:
        rows = synonym_csv.missing_shipped() if shipped else read(file)
        results = races.repeated(lambda _: synonym_csv.import_rows(None, rows, dry_run=dry_run))
        wrong = [result for result in results if result.faults]
        for result in wrong:
            for field, sentence in result.faults:
                self.stderr.write(f"row {result.number}: {field}: {sentence}")
        right = f"{len(rows) - len(wrong)} of {len(rows)} rows {'are right' if dry_run else 'were stored'}"
        if wrong:
            raise CommandError(f"{right}; {len(wrong)} had errors.")
        self.stdout.write(f"{right}.")


def read(file: Path | None) -> list[Numbered]:
    """The rows of a file. Raises CommandError if it is no such table."""
    assert file is not None  # argparse wants one of the two
    try:
        return synonym_csv.parse(file.read_bytes())
    except (OSError, Invalid) as error:
        raise CommandError(f"{file} cannot be read: {error}") from error
