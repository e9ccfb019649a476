"""Store designs from a table, row by row: a CSV file or an Excel workbook (.xlsx).

A row with the `id` of a design changes it, any other creates one. Its pictures are images that are stored
already (`image_keys`, or `r2_object_key` for the cover alone), or its cover is a file (`image`) in the folder or
zip that --images names.
"""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from core.errors import Invalid, TooMany, Unavailable
from core.scratch import scratch_folder
from designs.sheets import beside
from designs.sheets.beside import Beside
from designs.sheets.reading import Written, write_down
from designs.sheets.rows import Import, Result, known_rows
from designs.sheets.text import ENCODINGS
from designs.sheets.values import DateOrder


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="its first row has the names of the columns")
        parser.add_argument("--images", type=Path, help="the folder or zip of the files named under `image`")
        parser.add_argument("--dry-run", action="store_true", help="check every row and store nothing")
        parser.add_argument(
            "--dates",
            choices=[order.value for order in DateOrder if order],
            default=DateOrder.ASK.value,
            help="what comes first where a date like 03/04/2026 can be read in two ways",
        )
        parser.add_argument(
            "--encoding", choices=[*ENCODINGS], default="", help="of a CSV file, where the guess is wrong"
        )

    def handle(
        self,
        *args: str,
        file: Path,
        images: Path | None,
        dry_run: bool,
        dates: str,
        encoding: str,
        **options: str,
    ) -> None:
        pictures = pictures_in(images)
        with scratch_folder() as folder:
            try:
                table = write_down(file, folder / "rows", encoding)
            except (OSError, Invalid) as error:
                raise CommandError(f"{file} cannot be read: {error}") from error
            self.import_all(table, pictures, DateOrder(dates), dry_run)

    def import_all(self, table: Written, pictures: Beside, order: DateOrder, dry_run: bool) -> None:
        wrong = 0
        results = results_of(table, pictures, order, dry_run)
        for result in tqdm(results, total=table.total, unit="row", disable=None):
            wrong += bool(result.faults)
            with tqdm.external_write_mode(self.stderr):
                for fault in result.faults:
                    self.stderr.write(fault.in_row(result.number))
        right = f"{table.total - wrong} of {table.total} rows {'are right' if dry_run else 'were stored'}"
        if wrong:
            raise CommandError(f"{right}; {wrong} had errors.")
        self.stdout.write(f"{right}.")


def pictures_in(path: Path | None) -> Beside:
    """The pictures of a folder or zip. Raises CommandError if it is neither."""
    if path is None:
        return beside.NOTHING
    try:
        return beside.zipped(path) if path.is_file() else beside.folder(path)
    except Invalid as error:
        raise CommandError(f"{path} cannot be read: {error}") from error


def results_of(table: Written, pictures: Beside, order: DateOrder, dry_run: bool) -> Iterator[Result]:
    """Import the rows, one after the other. Raises CommandError where the database or the store is away."""
    for part in table.parts():
        known = known_rows([row for row, _ in part])
        work = Import(None, table.headers, pictures, order, dry_run=dry_run, known=known)
        for row, _ in part:
            try:
                yield work.result_of(row)
            except (Unavailable, TooMany) as error:
                text = (
                    f"Row {row.number}: {error} The rows before it are done; run the command again to go on."
                )
                raise CommandError(text) from error
