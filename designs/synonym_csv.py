"""Synonyms as tables, and those that the gallery ships.

A row is that of its kind and phrase: it changes the synonym that has them, or adds one. The commands export_synonyms
and import_synonyms and the admin's pages use this.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.db import transaction

from core import audit
from core.errors import Invalid, invalid_field
from core.spreadsheets import Cells, of_cell
from designs import synonyms
from designs.models import KINDS, Synonym
from designs.search.tokens import fold, split
from designs.sheets import table
from designs.synonyms import FIELDS, Row
from designs.validation import Faults, faults_of

BY_LABEL = {label.casefold(): kind for kind, label in KINDS}  # what the console calls the kinds
SHIPPED = Path(__file__).with_name("shipped_synonyms.json")

Key = tuple[str, str]  # kind and phrase
Numbered = tuple[int, Cells]  # a row with its number as a spreadsheet counts


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


def parse(data: bytes) -> list[Numbered]:
    """The rows of a table of any kind that Excel makes, each by column. Raises Invalid if the bytes are none."""
    with NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        rows = [row for row in table.lines(Path(file.name), known=column_of) if any(map(str.strip, row[1]))]
    if not rows:
        raise Invalid("This file is empty. Its first row names the columns.")
    (_, names), *rest = rows
    columns = [column_of(name) if name.strip() else None for name in names]
    wrong = [name.strip() for name, column in zip(names, columns, strict=True) if name.strip() and not column]
    if wrong or not any(columns):
        raise Invalid(
            f"The first row names the columns; {', '.join(wrong) or 'nothing'} is none of {', '.join(FIELDS)}."
        )
    if doubled := [column for column, count in Counter(filter(None, columns)).items() if count > 1]:
        raise Invalid(f"The first row names {', '.join(doubled)} twice. Remove one of them.")
    return [(number, cells_of(columns, cells)) for number, cells in rest]


def column_of(name: str) -> str | None:
    """The column that a name in the first row stands for; case and spaces do not count."""
    folded = name.strip().lstrip("\ufeff").casefold()
    return folded if folded in FIELDS else None


def cells_of(columns: Sequence[str | None], cells: Sequence[str]) -> Cells:
    """The cells by column; texts outside the columns are under None. A row may end early."""
    row: Cells = dict.fromkeys(filter(None, columns), "")
    for column, cell in zip_longest(columns, cells):
        if column is not None:
            row[column] = cell or ""
        elif cell and cell.strip():
            row[None] = cell
    return row


def shipped() -> list[Cells]:
    """The synonyms of this release, by field; a field that is empty is missing."""
    rows: list[Cells] = json.loads(SHIPPED.read_text(encoding="utf-8"))
    return rows


def import_rows(actor: audit.Actor | None, rows: Iterable[Numbered], *, dry_run: bool) -> list[Result]:
    """Store all valid rows in one transaction, or with `dry_run` only check them; return the result of each row.

    Raises SerializationFailure or IntegrityError if others change them at the same time; then nothing is stored.
    """
    stored = {key_of(synonym.kind, synonym.phrase): synonym for synonym in Synonym.objects.all()}
    seen: dict[Key, int] = {}
    results = []
    with nullcontext() if dry_run else transaction.atomic():
        for number, cells in rows:
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
    if None in cells:
        raise invalid_field("row", "It has more cells than there are columns.")
    sent = {name: of_cell(cell).strip() for name, cell in cells.items() if name is not None}
    if "kind" in sent:
        sent["kind"] = BY_LABEL.get(sent["kind"].casefold(), sent["kind"])
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


def missing_shipped() -> list[Numbered]:
    """The shipped synonyms of which the table has no row of the same kind and phrase."""
    stored = set(Synonym.objects.values_list("kind", "phrase"))
    missing = [row for row in shipped() if (row["kind"], row["phrase"]) not in stored]
    return list(enumerate(missing, start=2))
