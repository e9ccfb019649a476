"""Write the catalogue as CSV, or as an Excel workbook (.xlsx), that import_designs takes back."""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet
from tqdm import tqdm

from core.spreadsheets import in_chunks
from designs.fields import LIVE, Status
from designs.models import Design
from designs.sheets.export import rows_of, write_csv, write_workbook
from designs.sheets.headers import COLUMNS

WORKBOOK = ".xlsx"


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file",
            nargs="?",
            type=Path,
            help="where to write it, as a workbook if it ends in .xlsx (standard output)",
        )
        parser.add_argument("--trash", action="store_true", help="write those in the trash instead")
        parser.add_argument("--dry-run", action="store_true", help="count the designs and write nothing")

    def handle(self, *args: str, file: Path | None, trash: bool, dry_run: bool, **options: str) -> None:
        designs = Design.objects.filter(status=Status.DELETED) if trash else Design.objects.filter(LIVE)
        if file is not None and not file.absolute().parent.is_dir():
            raise CommandError(f"There is no folder {file.parent}. Create it first.")
        if dry_run:
            self.stdout.write(f"{designs.count()} designs would be written.")
        elif file is None:
            write_csv(self.stdout, COLUMNS, shown(designs))
        else:
            self.stdout.write(f"{write_file(file, designs)} designs are in {file}.")


def write_file(file: Path, designs: QuerySet[Design]) -> int:
    """Write a file beside its place and move it there; return how many designs it has. Raises CommandError."""
    draft = file.with_name(f"{file.name}.draft")
    try:
        with draft.open("wb") as out:
            count = write(out, file, designs)
        draft.replace(file)
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}") from error
    return count


def write(out: IO[bytes], file: Path, designs: QuerySet[Design]) -> int:
    if file.suffix.lower() == WORKBOOK:
        return write_workbook(out, COLUMNS, shown(designs))
    with open(out.fileno(), "w", encoding="utf-8", newline="", closefd=False) as text:
        return write_csv(text, COLUMNS, shown(designs))


def shown(designs: QuerySet[Design]) -> Iterator[list[Any]]:
    """The rows of the designs, the lowest id first, with a bar of progress on a terminal."""
    rows = rows_of(in_chunks(designs.prefetch_related("further_images")))
    return iter(tqdm(rows, total=designs.count(), unit="design", disable=None))
