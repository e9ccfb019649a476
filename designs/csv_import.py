"""Imports designs from a CSV file, row by row: valid rows are stored, and the faults of the others are named.

A row with the `id` of a design changes it, any other creates one. Its pictures are images that are stored already
(`image_keys`, or `r2_object_key` for the cover alone), or its cover is a file (`image`) in a folder. The command
import_designs and the admin's import page use this.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from accounts.models import User
from core import races, spreadsheets
from core.days import moment_of
from core.errors import Conflict, GalleryError, invalid_field
from core.spreadsheets import Cells, of_cell
from designs import services
from designs.fields import SETTABLE_STATUSES, Status, Values
from designs.models import Design
from designs.picture_change import PictureChange
from designs.spreadsheets import COLUMNS
from designs.validation import IMAGE_PENDING, Faults, faults_of, validated_fields
from uploads.pipeline.processing import prepare

ROW_ID = re.compile("[0-9]{1,18}")
IN_TRASH = "This design is in the trash. Restore it first."


@dataclass(frozen=True)
class Result:
    """The result of a row, or in a dry run what it would be; `faults` are (field, sentence) pairs."""

    number: int  # as a spreadsheet counts: the names of the columns are row 1
    title: str
    is_new: bool = False
    changed: tuple[str, ...] = ()
    faults: Faults = ()


def parse_csv(data: bytes) -> list[Cells]:
    """The rows, each by column. Raises Invalid if the bytes are not such a CSV file."""
    return spreadsheets.parse_csv(data, (*COLUMNS, "image"))


def import_rows(
    actor: User | None, rows: Iterable[Cells], images: Path | None = None, *, dry_run: bool
) -> Iterator[Result]:
    """Store each valid row, or with `dry_run` only check it, and yield its result."""
    for number, row in enumerate(rows, start=2):
        title = of_cell(row.get("title") or "")
        try:
            is_new, changed = import_row_repeatedly(actor, row, images, dry_run)
        except (GalleryError, ValidationError) as error:
            yield Result(number, title, faults=faults_of(error))
        else:
            yield Result(number, title, is_new, changed)


def import_row_repeatedly(
    actor: User | None, row: Cells, folder: Path | None, dry_run: bool
) -> tuple[bool, tuple[str, ...]]:
    """`import_row`, run again where another write came first; raises Conflict where that does not help.

    The rows before are stored already, so the import as a whole must not run again.
    """
    try:
        return races.repeated(lambda is_last: import_row(actor, row, folder, dry_run))
    except DatabaseError as error:
        if not races.is_lost(error):
            raise
        raise Conflict("Others change this design at the same time. Import the row again.") from error


def import_row(
    actor: User | None, row: Cells, folder: Path | None, dry_run: bool
) -> tuple[bool, tuple[str, ...]]:
    """Store a row, or only check it; return whether it creates a design, and the fields that it changes.

    Raises ValidationError or GalleryError, naming the fields at fault.
    """
    if None in row or None in row.values():
        raise invalid_field("row", "It has not as many cells as there are columns.")
    cells = {name: of_cell(cell).strip() for name, cell in row.items() if name is not None}
    design_id, file = id_of(cells.pop("id", "")), cells.pop("image", "")
    kept = kept_columns(cells)
    design = Design.objects.select_related("image").filter(pk=design_id).first() if design_id else None
    status, trashed = trash_columns(cells, design)
    if file:
        if cells.get("image_keys"):
            raise invalid_field("image_keys", "Leave this empty where the cover is a file.")
        cells["r2_object_key"] = IMAGE_PENDING
    fields = validated_fields(cells, partial=design is not None)
    prepared = prepare(read_picture(folder, file)) if file else None
    new = fields | status | kept | trashed
    changed = tuple(name for name in new if design is None or getattr(design, name) != new[name])
    if design and design.is_deleted:
        if changed or prepared:
            raise invalid_field("id", IN_TRASH)
        return False, ()
    if dry_run and not prepared:
        PictureChange.of(fields, design)
    if dry_run:
        return design is None, changed
    with services.picture_stored(actor, prepared) as image:
        if image:
            fields["r2_object_key"] = image.object_key
        if design:
            services.design_update(actor, design, fields, **kept)
        else:
            services.design_create(actor, fields | status, pk=design_id, **kept, **trashed)
    return design is None, changed


def id_of(cell: str) -> int | None:
    if not cell:
        return None
    if not ROW_ID.fullmatch(cell):
        raise invalid_field("id", "This is no id of a design; leave it empty for a new one.")
    return int(cell)


def kept_columns(cells: dict[str, str]) -> Values:
    """The columns that only an import sets; their cells are removed from `cells`."""
    created_at = moment_in("created_at", cells)
    return {"created_at": created_at} if created_at else {}


def trash_columns(cells: dict[str, str], design: Design | None) -> tuple[Values, Values]:
    """The status and the other columns of a design of a row of the trash; their cells are removed from `cells`.

    Nothing is taken out of the trash or put there: the row's design is in it already, or is a new one.
    """
    status, deleted_at = cells.pop("trashed_status", ""), moment_in("deleted_at", cells)
    in_trash = cells.get("status", "").lower() == Status.DELETED
    if design and design.is_deleted and not in_trash:
        raise invalid_field("id", IN_TRASH)
    if not in_trash:
        return {}, {}
    del cells["status"]
    if status and status not in dict(SETTABLE_STATUSES):
        raise invalid_field("trashed_status", "This is no status that a restore can give.")
    if design and not design.is_deleted:
        raise invalid_field("status", "An import deletes no design. Delete it where it is shown.")
    return {"status": Status.DELETED.value}, {
        "trashed_status": status or (design.trashed_status if design else Status.DRAFT.value),
        "deleted_at": deleted_at or (design.deleted_at if design else timezone.now()),
    }


def moment_in(name: str, cells: dict[str, str]) -> datetime | None:
    """The time in a cell, which is removed from `cells`; None if it is empty. Raises Invalid."""
    text = cells.pop(name, "")
    try:
        return moment_of(text) if text else None
    except (ValueError, OverflowError) as error:
        raise invalid_field(name, "This is not an ISO 8601 date or time.") from error


def read_picture(folder: Path | None, name: str) -> bytes:
    """The bytes of a file in the folder. Raises Invalid, also for a path that leads out of it."""
    if folder is None:
        raise invalid_field("image", "Files are taken only by the command import_designs with --images.")
    try:
        path = (folder / name).resolve(strict=True)
        if path.is_relative_to(folder.resolve()):
            with path.open("rb") as file:
                return file.read(settings.MAX_FILE_SIZE + 1)
    except (OSError, RuntimeError, ValueError):
        pass  # whatever the reason, this names no file
    raise invalid_field("image", f"There is no such file in {folder}.")
