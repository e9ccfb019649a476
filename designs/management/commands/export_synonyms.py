"""Write the synonyms of searches as CSV that import_synonyms takes back."""

import csv
from argparse import ArgumentParser
from pathlib import Path
from typing import TextIO

from django.core.management.base import BaseCommand, OutputWrapper

from core.spreadsheets import as_cell
from designs.models import Synonym
from designs.synonym_csv import values_of
from designs.synonyms import FIELDS


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, help="where to write it (standard output)")

    def handle(self, *args: str, file: Path | None, **options: str) -> None:
        if file is None:
            write_csv(self.stdout)
            return
        draft = file.with_name(f"{file.name}.draft")
        with draft.open("w", encoding="utf-8", newline="") as out:
            count = write_csv(out)
        draft.replace(file)
        self.stdout.write(f"{count} synonyms are in {file}.")


def write_csv(out: TextIO | OutputWrapper) -> int:
    """Write all synonyms in the order of their phrases; return how many there were."""
    rows = [[as_cell(value) for value in values_of(synonym)] for synonym in Synonym.objects.all()]
    csv.writer(out).writerows([FIELDS, *rows])
    return len(rows)
