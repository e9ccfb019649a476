"""Store designs from a CSV file, row by row.

A row with the `id` of a design changes it, another makes a new one. Its picture is an image that is stored
already (`r2_object_key`), or a file (`image`) of the folder that --images names.
"""

import csv
import io
import re
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rest_framework.exceptions import ValidationError
from tqdm import tqdm

from designs import services
from designs.api.serializers import DesignInputSerializer
from designs.models import Design
from designs.spreadsheets import COLUMNS, of_cell
from gallery_project.api.errors import flat_errors
from gallery_project.days import moment_of
from gallery_project.errors import GalleryError, invalid_field
from uploads.preparing import prepare

FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
TO_COME = "the image that is still to be stored"
ROW_ID = re.compile("[0-9]{1,18}")
CELL_SIZE = 1_000_000  # characters


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="UTF-8, its first row the names of the columns")
        parser.add_argument("--images", type=Path, help="the folder of the files named under `image`")
        parser.add_argument("--dry-run", action="store_true", help="check every row and store nothing")

    def handle(self, *args: Any, file: Path, images: Path | None, dry_run: bool, **options: Any) -> None:
        rows = rows_of(file)
        wrong = 0
        for number, row in enumerate(tqdm(rows, unit="row", disable=None), start=2):
            try:
                take(row, images, dry_run)
            except (GalleryError, ValidationError) as error:
                wrong += 1
                with tqdm.external_write_mode(self.stderr):
                    for field, sentence in faults(error):
                        self.stderr.write(f"row {number}: {field}: {sentence}")
        right = f"{len(rows) - wrong} of {len(rows)} rows {'are right' if dry_run else 'were stored'}"
        if wrong:
            raise CommandError(f"{right}; {wrong} had errors.")
        self.stdout.write(f"{right}.")


def rows_of(file: Path) -> list[dict[str | None, Any]]:
    """The rows by column. Raises CommandError where the file is no such CSV."""
    csv.field_size_limit(CELL_SIZE)
    try:
        text = file.read_bytes().decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        unknown = set(reader.fieldnames or ()) - {*COLUMNS, "image"}
        if unknown or not reader.fieldnames:
            raise CommandError(
                f"The first row names the columns; {', '.join(sorted(unknown)) or 'nothing'} is none of "
                f"{', '.join(COLUMNS)}, image."
            )
        return list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"{file} cannot be read as CSV in UTF-8: {error}") from error


def take(row: dict[str | None, Any], folder: Path | None, dry_run: bool) -> None:
    """Store a row, or only check it. Raises ValidationError or GalleryError, naming the fields at fault."""
    if None in row or None in row.values():
        raise invalid_field("row", "It has not as many cells as there are columns.")
    cells = {name: of_cell(cell).strip() for name, cell in row.items() if name is not None}
    design_id, file = id_of(cells.pop("id", "")), cells.pop("image", "")
    kept = kept_columns(cells)
    design = Design.objects.select_related("image").filter(pk=design_id).first() if design_id else None
    if file:
        cells["r2_object_key"] = TO_COME
    fields = checked(cells, partial=design is not None)
    prepared = prepare(read(folder, file)) if file else None
    if dry_run and not prepared:
        services.columns_of(fields)
    if dry_run:
        return
    with services.picture_stored(None, prepared) as image:
        if image:
            fields["r2_object_key"] = image.object_key
        if design:
            services.update_design(None, design, fields, **kept)
        else:
            services.create_design(None, fields, pk=design_id, **kept)


def id_of(cell: str) -> int | None:
    if not cell:
        return None
    if not ROW_ID.fullmatch(cell):
        raise invalid_field("id", "This is no id of a design; leave it empty for a new one.")
    return int(cell)


def kept_columns(cells: dict[str, str]) -> dict[str, Any]:
    """What is stored beside the fields of the API, taken out of the cells."""
    created_at = cells.pop("created_at", "")
    try:
        return {"created_at": moment_of(created_at)} if created_at else {}
    except (ValueError, OverflowError) as error:
        raise invalid_field("created_at", "This is not an ISO 8601 date or time.") from error


def checked(cells: dict[str, str], *, partial: bool) -> dict[str, Any]:
    """The cells as fields, checked as the API checks them."""
    data: dict[str, Any] = {
        name: cell for name, cell in cells.items() if cell or name not in ("featured", "status")
    }
    if "featured" in data:
        data["featured"] = FLAGS.get(cells["featured"].lower(), cells["featured"])
    serializer = DesignInputSerializer(data=data, partial=partial)
    serializer.is_valid(raise_exception=True)
    fields: dict[str, Any] = serializer.validated_data
    return fields


def read(folder: Path | None, name: str) -> bytes:
    """A file of the folder; a path that leads out of it is no file of it."""
    if folder is None:
        raise invalid_field("image", "Name the folder of the files with --images.")
    try:
        path = (folder / name).resolve(strict=True)
        if path.is_relative_to(folder.resolve()):
            with path.open("rb") as file:
                return file.read(settings.MAX_FILE_SIZE + 1)
    except (OSError, RuntimeError, ValueError):
        pass  # no name of a file, whatever the reason
    raise invalid_field("image", f"There is no such file in {folder}.")


def faults(error: GalleryError | ValidationError) -> list[tuple[str, str]]:
    """(field, sentence) of everything at fault."""
    fields = flat_errors(error.detail) if isinstance(error, ValidationError) else error.fields
    # Of an upload the file is at fault, and in a row that is its image.
    named = {"image" if field == "file" else field: found for field, found in fields.items()}
    return [
        (field, sentence) for field, found in (named or {"image": [str(error)]}).items() for sentence in found
    ]
