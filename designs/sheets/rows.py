"""The import of one row, in one transaction with its entry in the audit trail.

A row with the `id` of a design changes it, any other creates one. A row without an id that an earlier import stored is
known by its digest, and left alone (ImportedRow).
"""

import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TypeAlias

from django.db import DatabaseError
from rest_framework.exceptions import ValidationError

from accounts.models import User
from core import races
from core.errors import Conflict, GalleryError, Invalid, TooMany, Unavailable, invalid_field
from core.spreadsheets import of_cell
from d1backend import insert_unkeyed
from designs import services
from designs.fields import Status, Values
from designs.models import Design, ImportedRow
from designs.picture_change import PictureChange
from designs.sheets import values
from designs.sheets.beside import NOTHING, Beside
from designs.sheets.faults import ROW, Fault, cell_fault, faults_in
from designs.sheets.headers import FILE, Headers, letters_of
from designs.sheets.trash import IN_TRASH, trash_columns
from designs.sheets.values import DateOrder
from designs.validation import IMAGE_PENDING, validated_fields
from uploads.keys import OBJECT
from uploads.pipeline.processing import prepare

# The design that a row made before, by the digest of the row: its id, and its status.
Known = Mapping[str, tuple[int, str]]
# Whether a row creates a design, the fields that it changes, and the id of the design.
Outcome: TypeAlias = tuple[bool, tuple[str, ...], int | None]


@dataclass(frozen=True)
class Row:
    """A row of a table, by its number in a spreadsheet. `digest` stands for one without an id, else it is empty."""

    number: int
    cells: Sequence[str]
    digest: str = ""


@dataclass(frozen=True)
class Result:
    """What became of a row, or in a dry run would become of it. `design_id` is None while it has none."""

    number: int
    title: str
    is_new: bool = False
    changed: tuple[str, ...] = ()
    design_id: int | None = None
    faults: Sequence[Fault] = ()
    asks_order: bool = False  # whether a date can be read in two ways


@dataclass(frozen=True)
class Plan:
    """What a row says: the design that there is, the fields of the API, the columns that only an import sets."""

    design: Design | None
    design_id: int | None
    fields: Values
    kept: Values
    file: str  # the name of a picture
    changed: tuple[str, ...]


@dataclass(frozen=True)
class Import:
    """What holds for all rows of a table. `actor` is None for a command."""

    actor: User | None
    headers: Headers
    pictures: Beside = NOTHING
    order: DateOrder = DateOrder.ASK
    dry_run: bool = True
    known: Known = field(default_factory=dict)

    def result_of(self, row: Row) -> Result:
        """Store a row, or with `dry_run` only check it.

        Raises Unavailable, TooMany and DatabaseError, which say nothing of the row: it can be tried again.
        """
        texts = self.texts_of(row)
        title = texts.get("title", "")
        try:
            is_new, changed, design_id = self.repeatedly(row, texts)
        except (Unavailable, TooMany):
            raise
        except (GalleryError, ValidationError) as error:
            asks = getattr(error, "code", "") == values.AMBIGUOUS
            return Result(row.number, title, faults=faults_in(error, self.headers), asks_order=asks)
        return Result(row.number, title, is_new, changed, design_id)

    def repeatedly(self, row: Row, texts: dict[str, str]) -> Outcome:
        """`one`, run again where another write came first; raises Conflict where that does not help.

        The rows before are stored already, so the import as a whole must not run again.
        """
        attempts = count()

        def attempt(is_last: bool) -> Outcome:
            known = self.known if next(attempts) == 0 else known_rows([row])
            return self.one(row, dict(texts), known)

        try:
            return races.repeated(attempt)
        except DatabaseError as error:
            if not races.is_lost(error):
                raise
            raise Conflict("Others change this design at the same time. Import the row again.") from error

    def one(self, row: Row, texts: dict[str, str], known: Known) -> Outcome:
        """Store a row, or only check it; return whether it creates a design, the fields that it changes, its id.

        Raises ValidationError or GalleryError, naming the fields at fault.
        """
        check_cells(row, self.headers)
        if row.digest in known:
            return False, (), known_design(known[row.digest])
        plan = self.plan(texts)
        design = plan.design
        if design and design.is_deleted and (plan.changed or plan.file):
            raise invalid_field("id", IN_TRASH)
        prepared = prepare(self.pictures.read(plan.file)) if plan.file else None
        if self.dry_run or (design and design.is_deleted):
            if not prepared:
                PictureChange.of(plan.fields, design)
            return design is None, plan.changed, plan.design_id
        with services.picture_stored(self.actor, prepared) as image:
            fields = plan.fields | ({"r2_object_key": image.object_key} if image else {})
            if design:
                services.design_update(self.actor, design, fields, **plan.kept)
                return False, plan.changed, design.pk
            created = services.design_create(
                self.actor,
                fields,
                pk=plan.design_id,
                within=lambda design: remember(row, design),
                **plan.kept,
            )
            return True, plan.changed, created.pk

    def plan(self, texts: dict[str, str]) -> "Plan":
        """What a row says, by its cells. Raises ValidationError or GalleryError, naming the fields at fault."""
        design_id, file = values.id_of(texts.pop("id", "")), texts.pop(FILE, "")
        created_at = texts.pop("created_at", "")
        kept = {"created_at": values.moment_in(created_at, self.order)} if created_at else {}
        design = Design.objects.select_related("image").filter(pk=design_id).first() if design_id else None
        status, trashed = trash_columns(texts, design, self.order)
        if file and OBJECT.fullmatch(file) and not texts.get("r2_object_key"):
            # The console, too, calls the key of a stored picture Image.
            texts["r2_object_key"], file = file, ""
        if file:
            if texts.get("image_keys"):
                raise invalid_field("image_keys", "Leave this empty where the picture is a file.")
            texts["r2_object_key"] = IMAGE_PENDING
        fields = validated_fields(texts, partial=design is not None) | status
        new = fields | kept | trashed
        changed = tuple(name for name in new if design is None or getattr(design, name) != new[name])
        return Plan(design, design_id, fields, kept | trashed, file, changed)

    def texts_of(self, row: Row) -> dict[str, str]:
        """The cells by column, as the check of the API knows them."""
        texts = {
            column: of_cell(cell).strip()
            for column, cell in zip(self.headers.columns, row.cells, strict=False)
            if column is not None
        }
        if "featured" in texts:
            texts["featured"] = values.flag_text(texts["featured"])
        if "status" in texts:
            texts["status"] = values.status_text(texts["status"])
        return texts


def check_cells(row: Row, headers: Headers) -> None:
    """Raise Invalid for cells beyond the named columns, and for errors of Excel's formulas."""
    wrong: dict[str, list[str]] = {}
    for place, cell in enumerate(row.cells):
        column = headers.columns[place] if place < len(headers.columns) else None
        if column is None and cell.strip():
            sentence = f"Column {letters_of(place)} has text here, but no name in the first row. Name it or empty it."
            wrong.setdefault(ROW, []).append(sentence)
        elif column is not None and (sentence := cell_fault(cell)):
            wrong.setdefault(column, []).append(sentence)
    if wrong:
        raise Invalid(fields=wrong)


def digest_of(headers: Headers, cells: Sequence[str], repeats: int) -> str:
    """A hash of what a row says, whatever the file it is in; `repeats` is how often the same came before.

    Empty for a row with an id, which needs none.
    """
    said = {
        column: text
        for column, cell in zip(headers.columns, cells, strict=False)
        if column and (text := unicodedata.normalize("NFC", of_cell(cell).strip()))
    }
    if "id" in said:
        return ""
    return hashlib.sha256(json.dumps([said, repeats], sort_keys=True).encode()).hexdigest()


def remember(row: Row, design: Design) -> None:
    """Keep that the row made the design, in its transaction, which fails with IntegrityError if another one did."""
    if row.digest:
        insert_unkeyed(ImportedRow(digest=row.digest, design=design))


def known_rows(rows: Sequence[Row]) -> Known:
    """The designs that rows without an id have made before. At most 100 rows: one query."""
    digests = [row.digest for row in rows if row.digest]
    if not digests:
        return {}
    made = ImportedRow.objects.filter(digest__in=digests)
    return {
        digest: (pk, status)
        for digest, pk, status in made.values_list("digest", "design_id", "design__status")
    }


def known_design(made: tuple[int, str]) -> int:
    """The id of the design that a row made before. Raises Invalid if it is in the trash."""
    design_id, status = made
    if status == Status.DELETED:
        raise invalid_field(
            ROW, f"This row made design {design_id}, which is in the trash. Restore it there."
        )
    return design_id
