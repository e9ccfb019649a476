"""Write the catalogue as CSV that import_designs takes back."""

import csv
from argparse import ArgumentParser
from pathlib import Path
from typing import TextIO

from django.core.management.base import BaseCommand, OutputWrapper
from django.db.models import QuerySet
from tqdm import tqdm

from core.spreadsheets import in_chunks
from designs.fields import LIVE, Status
from designs.models import Design
from designs.spreadsheets import COLUMNS, as_row


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, help="where to write it (standard output)")
        parser.add_argument("--trash", action="store_true", help="write those in the trash instead")

    def handle(self, *args: str, file: Path | None, trash: bool, **options: str) -> None:
        designs = Design.objects.filter(status=Status.DELETED) if trash else Design.objects.filter(LIVE)
        if file is None:
            write_csv(self.stdout, designs)
            return
        draft = file.with_name(f"{file.name}.draft")
        with draft.open("w", encoding="utf-8", newline="") as out:
            count = write_csv(out, designs)
        draft.replace(file)
        self.stdout.write(f"{count} designs are in {file}.")


def write_csv(out: TextIO | OutputWrapper, designs: QuerySet[Design]) -> int:
    """Write the designs, the lowest id first; return how many there were."""
    designs = designs.prefetch_related("further_images")
    writer: csv.DictWriter[str] = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    count = 0
    for design in tqdm(in_chunks(designs), total=designs.count(), unit="design", disable=None):
        writer.writerow(as_row(design))
        count += 1
    return count
