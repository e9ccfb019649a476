"""Write the catalogue as CSV that import_designs takes back."""

import csv
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from core.spreadsheets import in_chunks
from designs.models import Design
from designs.spreadsheets import COLUMNS, as_row


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, help="where to write it (standard output)")

    def handle(self, *args: Any, file: Path | None, **options: Any) -> None:
        if file is None:
            write(self.stdout)
            return
        draft = file.with_name(f"{file.name}.draft")
        with draft.open("w", encoding="utf-8", newline="") as out:
            count = write(out)
        draft.replace(file)
        self.stdout.write(f"{count} designs are in {file}.")


def write(out: Any) -> int:
    """Write every design to a file-like object, the lowest id first; answer how many there were."""
    designs = Design.objects.all()
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    progress = tqdm(in_chunks(designs), total=designs.count(), unit="design", disable=None)
    for design in progress:
        writer.writerow(as_row(design))
    return progress.n
