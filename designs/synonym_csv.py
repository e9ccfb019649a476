"""Synonyms as CSV, and those that the gallery ships.

A row is that of its kind and phrase: it changes the synonym that has them, or adds one. The commands export_synonyms
and import_synonyms and the admin's pages use this.
"""

import json
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from core import audit
from core.errors import Invalid, invalid_field
from core.spreadsheets import Cells, of_cell
from core.spreadsheets import parse_csv as parse_cells
from designs import synonyms
from designs.models import Synonym
from designs.search.tokens import fold, split
from designs.synonyms import FIELDS, Row
from designs.validation import Faults, faults_of

SHIPPED = Path(__file__).with_name("shipped_synonyms.json")

Key = tuple[str, str]  # kind and phrase


@dataclass(frozen=True)
class Result:
    """What the import did with a row, or would do; `changed` names fields."""

    number: int  # as a spreadsheet counts: the names of the columns are row 1
    title: str
    is_new: bool = False
    changed: tuple[str, ...] = ()
    faults: Faults = ()


def values_of(synonym: Synonym) -> list[Any]:
    """The values of a synonym in the columns' order, which is that of FIELDS."""
    return [*synonyms.row_of(synonym)]


def parse_csv(data: bytes) -> list[Cells]:
    """The rows, each by column. Raises Invalid if the bytes are not such a CSV file."""
    return parse_cells(data, FIELDS)


def shipped() -> list[Cells]:
    """The synonyms of this release, by field; a field that is empty is missing."""
    rows: list[Cells] = json.loads(SHIPPED.read_text(encoding="utf-8"))
    return rows


def import_rows(actor: audit.Actor | None, rows: Iterable[Cells], *, dry_run: bool) -> list[Result]:
    """Store all valid rows in one transaction, or with `dry_run` only check them; return the result of each row.

    Raises SerializationFailure or IntegrityError if others change them at the same time; then nothing is stored.
    """
    stored = {key_of(synonym.kind, synonym.phrase): synonym for synonym in Synonym.objects.all()}
    seen: dict[Key, int] = {}
    results = []
    with nullcontext() if dry_run else transaction.atomic():
        for number, cells in enumerate(rows, start=2):
            phrase = of_cell(cells.get("phrase") or "")
            try:
                row, synonym = read_row(cells, stored)
                first = seen.setdefault((row.kind, row.phrase), number)
                if first != number:
                    raise invalid_field("phrase", f"Row {first} has this phrase already, of the same kind.")
            except Invalid as error:
                results.append(Result(number, phrase, faults=faults_of(error)))
                continue
            changed = changed_fields(synonym, row)
            if not dry_run:
                store(actor, synonym, row)
            results.append(Result(number, row.phrase, synonym is None, changed))
    return results


def key_of(kind: str, phrase: str) -> Key:
    return kind.strip().casefold(), " ".join(split(fold(phrase)))


def read_row(cells: Cells, stored: dict[Key, Synonym]) -> tuple[Row, Synonym | None]:
    """The row of these cells, and the synonym that it changes. Raises Invalid, naming every fault."""
    if None in cells or None in cells.values():
        raise invalid_field("row", "It has not as many cells as there are columns.")
    sent = {name: of_cell(cell).strip() for name, cell in cells.items() if name is not None}
    synonym = stored.get(key_of(sent.get("kind", ""), sent.get("phrase", "")))
    kept = synonyms.row_of(synonym)._asdict() if synonym else {}
    return synonyms.checked(kept | sent), synonym


def changed_fields(synonym: Synonym | None, row: Row) -> tuple[str, ...]:
    old: Sequence[str | None] = synonyms.row_of(synonym) if synonym else (None,) * len(FIELDS)
    return tuple(name for name, before, after in zip(FIELDS, old, row, strict=True) if before != after)


def store(actor: audit.Actor | None, synonym: Synonym | None, row: Row) -> None:
    if synonym is None:
        synonyms.store_new(actor, row)
    else:
        synonyms.store_change(actor, synonym, row)


def missing_shipped() -> list[Cells]:
    """The shipped synonyms of which the table has no row of the same kind and phrase."""
    stored = set(Synonym.objects.values_list("kind", "phrase"))
    return [row for row in shipped() if (row["kind"], row["phrase"]) not in stored]
