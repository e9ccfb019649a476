"""The import of a file that a member of staff has sent: kept in DATA, done in parts, so it goes on after a restart.

Each step does the next rows and stores how far it came. A step names the place where its caller believes the import to
be; one that is sent twice, or from a second tab, finds another place and does nothing. Were a server killed between a
row and its note, the row is known by its id or its digest (rows.py).
"""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from accounts.models import User
from core.errors import Conflict, Invalid
from designs.sheets import beside, reading, table, uploads
from designs.sheets.headers import label_of
from designs.sheets.reading import Written
from designs.sheets.rows import Import, Result, Row, known_rows
from designs.sheets.text import ENCODINGS
from designs.sheets.values import DateOrder

STEP_SECONDS = 1.5  # after which a step begins no further row
MOST_FAULTY, MOST_OTHERS = 200, 20  # rows that the page shows
CELL_SHOWN = 120  # characters
STATE, ROWS = "state.json", "rows"


class Phase(StrEnum):
    SENDING = "sending"
    READING = "reading"
    REFUSED = "refused"  # the file is no such table
    CHECKING = "checking"
    CHECKED = "checked"
    STORING = "storing"
    STORED = "stored"


@dataclass
class ShownRow:
    """A row as the page shows it. `faults` has sentences by the place of their column; those of no column have -1."""

    number: int
    cells: list[str]
    outcome: str
    faults: list[tuple[int, str, str]]  # place, name of the column, sentence


@dataclass
class State:
    """How far an import came. `counts` has how many rows are new, changed, unchanged and invalid."""

    name: str = ""
    size: int = 0  # bytes of the table
    pictures: str = ""
    pictures_size: int = 0  # bytes
    phase: Phase = Phase.SENDING
    message: str = ""  # why the file is refused
    encoding: str = ""  # of a text file
    order: DateOrder = DateOrder.ASK
    asks_order: str = ""  # a sentence about a date that can be read in two ways
    names: list[str] = field(default_factory=list)
    total: int = 0
    done: int = 0
    offset: int = 0  # bytes, where in the written table the next row begins
    counts: dict[str, int] = field(default_factory=dict)
    shown: list[ShownRow] = field(default_factory=list)
    run: int = 0  # grows whenever the rows begin anew

    @property
    def place(self) -> str:
        """What a step must name to be done."""
        return f"{self.phase}-{self.run}-{self.done}"

    @property
    def is_running(self) -> bool:
        return self.phase in (Phase.READING, Phase.CHECKING, Phase.STORING)

    @property
    def valid(self) -> int:
        return sum(self.counts.values()) - self.counts.get("invalid", 0)

    def begin(self, phase: Phase) -> None:
        self.phase, self.done, self.offset, self.counts, self.shown = phase, 0, 0, {}, []
        self.asks_order = self.message = ""
        self.run += 1


def state_of(folder: Path) -> State | None:
    """The import that is kept in a folder; None if there is none."""
    try:
        stored: dict[str, Any] = json.loads((folder / STATE).read_bytes())
    except FileNotFoundError:
        return None
    known = {name.name for name in fields(State)}
    state = State(**{name: value for name, value in stored.items() if name in known})
    state.phase, state.order = Phase(state.phase), DateOrder(state.order)
    state.shown = [ShownRow(**row) for row in stored["shown"]]
    return state


def save(folder: Path, state: State) -> None:
    uploads.replace(folder / STATE, json.dumps(asdict(state)).encode())


def add_part(actor: User, part: uploads.Part) -> int:
    """Keep a part of a file; return how many bytes of it are here. The first part of a table begins a new import.

    Raises Invalid, TooLarge and Conflict, as uploads.write_part() does.
    """
    with uploads.locked(actor.pk) as folder:
        if part.file == uploads.TABLE and part.offset == 0:
            uploads.clear(folder)
            state = State(name=part.name, size=part.size)
        else:
            state = state_of(folder) or State()
            if state.phase != Phase.SENDING or not state.name:
                raise Conflict("This import has begun already. Choose the file again.")
        if part.file == uploads.PICTURES:
            state.pictures, state.pictures_size = part.name, part.size
        received = uploads.write_part(folder, part)
        save(folder, state)
        return received


def step(actor: User, place: str, begin: str = "", order: str = "", encoding: str = "") -> State:
    """Do the next part of the import; return where it is then.

    `begin` is `read`, `check` (with another `order`) or `store` where the caller wants that; else the phase goes on.
    Nothing is done if the import is not at `place`.
    Raises Conflict if there is none, Invalid, and what rows.Import.result_of raises; what was done is kept.
    """
    with uploads.locked(actor.pk) as folder:
        state = state_of(folder)
        if state is None:
            raise Conflict("This server has no file of yours any more. Choose it again.")
        if place != state.place:
            return state
        if begin:
            begin_phase(folder, state, begin, order, encoding)
        if state.phase == Phase.READING:
            read(folder, state)
        elif state.phase in (Phase.CHECKING, Phase.STORING):
            do_rows(actor, folder, state)
        save(folder, state)
        return state


def begin_phase(folder: Path, state: State, begin: str, order: str, encoding: str) -> None:
    """Begin another phase. Raises Invalid if it cannot follow."""
    try:
        state.order = DateOrder(order) if order else state.order
    except ValueError as error:
        raise Invalid("Choose which comes first, the day or the month.") from error
    if begin == "read" and state.phase in (Phase.SENDING, Phase.CHECKED, Phase.REFUSED):
        if encoding and encoding not in ENCODINGS:
            raise Invalid("Choose one of the offered encodings.")
        uploads.check_whole(folder, state.size, state.pictures_size)
        state.encoding = encoding
        state.begin(Phase.READING)
    elif begin == "check" and state.phase == Phase.CHECKED:
        state.begin(Phase.CHECKING)
    elif begin == "store" and state.phase == Phase.CHECKED:
        state.begin(Phase.STORING)
    else:
        raise Invalid("This is not what comes next in this import. Load the page again.")


def read(folder: Path, state: State) -> None:
    try:
        state.encoding = state.encoding or table.encoding_of(folder / uploads.TABLE)
        found = reading.write_down(folder / uploads.TABLE, folder / ROWS, state.encoding)
        if state.pictures:
            beside.zipped(folder / uploads.PICTURES)
    except Invalid as error:
        state.phase, state.message = Phase.REFUSED, error.message
        return
    state.names, state.total = list(found.headers.names), found.total
    state.begin(Phase.CHECKING)


def do_rows(actor: User, folder: Path, state: State) -> None:
    """Do the next rows, for STEP_SECONDS, and keep each in the state."""
    rows = reading.written(folder / ROWS, state.total)
    pictures = beside.zipped(folder / uploads.PICTURES) if state.pictures else beside.NOTHING
    is_storing = state.phase == Phase.STORING
    end = time.monotonic() + STEP_SECONDS
    for row, following, work in planned(rows, state, actor, pictures):
        note(state, row, work.result_of(row))
        state.offset = following
        if is_storing:
            save(folder, state)
        if time.monotonic() > end:
            break
    if state.done == state.total:
        state.phase = Phase.STORED if is_storing else Phase.CHECKED


def planned(
    rows: Written, state: State, actor: User, pictures: beside.Beside
) -> Iterator[tuple[Row, int, Import]]:
    """The rows that are left, where the one after each begins, and what imports it."""
    for part in rows.parts(state.offset):
        work = Import(
            actor,
            rows.headers,
            pictures,
            state.order,
            dry_run=state.phase == Phase.CHECKING,
            known=known_rows([row for row, _ in part]),
        )
        for row, following in part:
            yield row, following, work


def note(state: State, row: Row, result: Result) -> None:
    """Count a row, and show it where it is among the first of its kind."""
    kind = kind_of(result)
    state.counts[kind] = state.counts.get(kind, 0) + 1
    state.done += 1
    if result.asks_order and not state.asks_order:
        state.asks_order = result.faults[0].sentence
    faulty = state.counts.get("invalid", 0)
    if faulty > MOST_FAULTY if result.faults else state.done - faulty > MOST_OTHERS:
        return
    faults = [
        (-1 if fault.place is None else fault.place, fault.name, fault.sentence) for fault in result.faults
    ]
    cells = [cell[:CELL_SHOWN] for cell in row.cells[: len(state.names)]]
    state.shown.append(ShownRow(row.number, cells, outcome_of(result, state), faults))


def kind_of(result: Result) -> str:
    if result.faults:
        return "invalid"
    return "new" if result.is_new else "changed" if result.changed else "unchanged"


def outcome_of(result: Result, state: State) -> str:
    kind = kind_of(result)
    if kind == "changed":
        return f"Changes {', '.join(label_of(name).lower() for name in result.changed)}"
    return {"new": "New design", "unchanged": "No change", "invalid": "Not imported"}[kind]
