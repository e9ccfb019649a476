"""What is taken of each table, what is changed on the way, and what is left out, with the reason."""

import csv
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from core.spreadsheets import as_cell
from operations.seed import SeedError

LEFT_OUT, CHANGED = "left out", "changed"
LONGEST = 600  # characters of a note
SHOWN = 20  # notes on the screen
encode = json.JSONEncoder(ensure_ascii=False).encode
COLUMNS = ("table", "id", "what", "why")
# What the file of a report begins with: of CSV, and of JSON with a source or without.
BEGINNINGS = (",".join(COLUMNS).encode(), b'{\n "source"', b'{\n "counts"')


class LeftOut(Exception):
    """A row that cannot be taken, and why."""


@dataclass(slots=True)
class Note:
    """What happened to one row: of which table, which id, and why."""

    table: str
    id: str
    what: str
    why: str

    def __str__(self) -> str:
        return printable(f"{self.table} {self.id}: {self.what}: {self.why}")


@dataclass
class Counts:
    read: int = 0
    taken: int = 0
    changed: int = 0
    left_out: int = 0


class Report:
    """The counts of each table, and a note for each row that is changed or left out.

    A seed may have a fault in each row. So the first notes are in memory, and with `keeps_all` all of them in a file
    without a name.
    """

    def __init__(self, *, keeps_all: bool = False) -> None:
        self.counts: dict[str, Counts] = {}
        self.remarks: list[str] = []  # about the whole
        self.noted = 0
        self.first: list[Note] = []
        self.all = tempfile.TemporaryFile("w+", encoding="utf-8") if keeps_all else None  # noqa: SIM115 – kept open

    def of(self, table: str) -> Counts:
        return self.counts.setdefault(table, Counts())

    @contextmanager
    def row(self, table: str, key: object) -> Iterator[list[str]]:
        """Count one row. The block adds to the list what it changes, and raises LeftOut for a row not to take."""
        counts, changes = self.of(table), list[str]()
        counts.read += 1
        try:
            yield changes
        except LeftOut as error:
            counts.left_out += 1
            self.note(table, key, LEFT_OUT, str(error))
            return
        counts.taken += 1
        if changes:
            counts.changed += 1
            self.note(table, key, CHANGED, " ".join(changes))

    def note(self, table: str, key: object, what: str, why: str) -> None:
        """Keep a note. Raises SeedError on a full disk."""
        note = Note(table, printable(str(key)), what, printable(why))
        self.noted += 1
        if self.noted <= SHOWN:
            self.first.append(note)
        try:
            if self.all is not None:
                self.all.write(f"{encode(asdict(note))}\n")
        except OSError as error:
            raise SeedError(
                f"The notes cannot be kept ({error.strerror}). Make room in {tempfile.gettempdir()}, and run the same "
                "command again."
            ) from error

    def notes(self) -> Iterator[dict[str, str]]:
        """All notes that were kept."""
        if self.all is not None:
            self.all.seek(0)
            yield from map(json.loads, self.all)

    def lines(self) -> Iterator[str]:
        """The report as people read it on a screen, with the first notes."""
        yield f"{'table':16}{'read':>10}{'taken':>10}{'changed':>10}{'left out':>10}"
        for table, one in self.counts.items():
            yield f"{table:16}{one.read:10}{one.taken:10}{one.changed:10}{one.left_out:10}"
        yield from self.remarks
        if self.noted > SHOWN:
            yield f"The first {SHOWN} of {self.noted} notes; --report FILE writes all:"
        for note in self.first:
            yield f"  {note}"

    def write(self, path: Path, **about: Any) -> None:
        """Write all notes to a file that only its owner can read: CSV if its name ends so, else JSON.

        Raises SeedError, also for a file that is no earlier report: it may be the seed.
        """
        try:
            require_report(path)
            descriptor = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                if path.suffix.lower() == ".csv":
                    self.write_csv(file)
                else:
                    self.write_json(file, about)
        except OSError as error:
            raise SeedError(f"The report cannot be written to {path}: {error.strerror}.") from error

    def write_csv(self, file: TextIO) -> None:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([as_cell(cell) for cell in note.values()] for note in self.notes())

    def write_json(self, file: TextIO, about: dict[str, Any]) -> None:
        counts = {table: asdict(one) for table, one in self.counts.items()}
        head = json.dumps({**about, "counts": counts, "remarks": self.remarks}, ensure_ascii=False, indent=1)
        file.write(f'{head.removesuffix("}").rstrip()},\n "notes": [')
        for number, note in enumerate(self.notes()):
            file.write(f"{',' if number else ''}\n  {encode(note)}")
        file.write("\n ]\n}\n")


def require_report(path: Path) -> None:
    """Raise SeedError if there is a file that is not empty, and no report either."""
    if path.exists():
        with path.open("rb") as file:
            begin = file.read(max(map(len, BEGINNINGS)))
        if begin and not begin.startswith(BEGINNINGS):
            raise SeedError(
                f"The report would overwrite {path}, which is no report. Name a file that is not there yet."
            )


def printable(text: str) -> str:
    """The text without what would move a terminal's cursor or hide, and not too long."""
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"


def quoted(text: str) -> str:
    """A value of the seed within a sentence."""
    return f"“{printable(text[:80])}{'…' if len(text) > 80 else ''}”"
