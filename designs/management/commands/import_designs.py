"""Store designs from a CSV file, row by row.

A row with the `id` of a design changes it, any other creates one. Its pictures are images that are stored
already (`image_keys`, or `r2_object_key` for the cover alone), or its cover is a file (`image`) in the folder that
--images names.
"""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from core.errors import Invalid
from designs import csv_import


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="UTF-8, its first row the names of the columns")
        parser.add_argument("--images", type=Path, help="the folder of the files named under `image`")
        parser.add_argument("--dry-run", action="store_true", help="check every row and store nothing")

    def handle(self, *args: str, file: Path, images: Path | None, dry_run: bool, **options: str) -> None:
        try:
            rows = csv_import.parse_csv(file.read_bytes())
        except (OSError, Invalid) as error:
            raise CommandError(f"{file} cannot be read: {error}") from error
        wrong = 0
        for result in csv_import.import_rows(
            None, tqdm(rows, unit="row", disable=None), images, dry_run=dry_run
        ):
            wrong += bool(result.faults)
            with tqdm.external_write_mode(self.stderr):
                for field, sentence in result.faults:
                    self.stderr.write(f"row {result.number}: {field}: {sentence}")
        right = f"{len(rows) - wrong} of {len(rows)} rows {'are right' if dry_run else 'were stored'}"
        if wrong:
            raise CommandError(f"{right}; {wrong} had errors.")
        self.stdout.write(f"{right}.")
