"""Goes through the seed: once to check and count, and once more to write.

Both times make the same rows in the same order, so an adoption that was interrupted goes on where it stopped.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from multiprocessing import get_context
from typing import TypeVar

from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from designs.models import Design
from operations.seed import SeedError, app_settings, catalogue, target, users
from operations.seed.app_settings import AppSettings
from operations.seed.catalogue import Designs, Favourites, Shown
from operations.seed.pictures import Listed, Pictures, stand_in
from operations.seed.report import Report, printable
from operations.seed.source import Row, Source
from operations.seed.target import State
from operations.seed.users import Users
from operations.seed.values import text_of
from uploads.models import Image

T = TypeVar("T")
M = TypeVar("M", bound=Model)

# By table: the columns without which nothing is taken, and all that are read.
TABLES = {
    users.TABLE: (users.NEEDED, users.COLUMNS),
    catalogue.DESIGNS: (catalogue.NEEDED, catalogue.COLUMNS),
    catalogue.FAVOURITES: (catalogue.FAVOURITE_NEEDED, catalogue.FAVOURITE_COLUMNS),
    app_settings.TABLE: (app_settings.NEEDED, app_settings.COLUMNS),
}
REQUIRED = (users.TABLE, catalogue.DESIGNS)
# Columns that a seed need not have: only some do.
OWN = ("is_active", "full_name", "contact", "last_login")
# Rows of one transaction: each is written by D1 in about a second, triggers included.
AT_ONCE = {users.TABLE: 1000, catalogue.DESIGNS: 250, catalogue.FAVOURITES: 5000, app_settings.TABLE: 100}


@dataclass(frozen=True)
class Options:
    rename: bool = False  # give users whose names cannot be kept another one
    workers: int = 1  # processes that check pictures


class Rows:
    """The rows of this gallery for those of a source, with what becomes of each in a report."""

    def __init__(self, source: Source, options: Options, shown: Shown, report: Report) -> None:
        self.source, self.report = source, report
        now = timezone.now()
        self.users = Users(rename=options.rename, now=now)
        self.designs = Designs(shown, now)
        self.favourites = Favourites(self.users.taken, self.designs.taken, now)
        self.settings = AppSettings(now)

    def of_users(self) -> Iterator[Model]:
        return self.taken(users.TABLE, lambda _, row, changes: self.users.user(row, changes))

    def of_designs(self, rows: Iterable[tuple[int, Row]] | None = None) -> Iterator[Design]:
        return self.taken(catalogue.DESIGNS, lambda _, row, changes: self.designs.design(row, changes), rows)

    def of_favourites(self) -> Iterator[Model]:
        return self.taken(catalogue.FAVOURITES, self.favourites.favourite)

    def of_settings(self) -> Iterator[Model]:
        return self.taken(app_settings.TABLE, lambda _, row, changes: self.settings.setting(row, changes))

    def taken(
        self,
        table: str,
        make: Callable[[int, Row, list[str]], M],
        rows: Iterable[tuple[int, Row]] | None = None,
    ) -> Iterator[M]:
        """The rows that are taken of those that are given, or of the whole table."""
        self.report.of(table)
        for rowid, row in read(self.source, table) if rows is None else rows:
            made = None
            with self.report.row(table, row.get("id", rowid)) as changes:
                made = make(rowid, row, changes)
            if made is not None:
                yield made

    @property
    def counts(self) -> dict[str, int]:
        return {table: self.report.of(table).taken for table in TABLES}


class Adoption:
    """Takes a seed into the gallery's database. `progress` hears how many rows of a table are written by now."""

    def __init__(
        self,
        source: Source,
        options: Options,
        progress: Callable[[str, int], None] = lambda table, rows: None,
    ) -> None:
        self.source, self.options, self.progress = source, options, progress
        require_seed(source)
        self.listed = Listed()

    def check(self, report: Report) -> None:
        """Read everything and write nothing; report what would be taken. Raises SeedError."""
        target.require_migrated()
        target.state_for(self.digest)
        target.require_no_deleted_ids()
        rows = Rows(self.source, self.options, self.listed, report)
        for made in (rows.of_users(), rows.of_designs(), rows.of_favourites(), rows.of_settings()):
            deque(made, maxlen=0)
        report.remarks += remarks(self.source, rows)

    def apply(self, report: Report) -> None:
        """Write everything that is not written yet; report what was taken. Raises SeedError, Unavailable.

        It is done in transactions of some thousand rows, each of which follows from the one before, so after an error
        another call goes on.
        """
        state = target.state_for(self.digest)
        rows = Rows(self.source, self.options, self.listed, report)
        if state.is_new:
            target.mark(target.BEGIN, self.digest, self.source.name, {})
        self.write(users.TABLE, rows.of_users(), state)
        self.write_designs(rows, state)
        self.write(catalogue.FAVOURITES, rows.of_favourites(), state)
        self.write(app_settings.TABLE, rows.of_settings(), state)
        target.require_consistent(rows.counts)
        target.finish(self.digest, self.source.name, rows.counts, self.source.sequences())
        report.remarks += remarks(self.source, rows)
        if not state.is_new:
            report.remarks.append(
                "An earlier run wrote a part of this: of the pictures of that part this report has no notes."
            )

    def write(self, table: str, rows: Iterator[Model], state: State) -> None:
        """Write the rows after those that are written already."""
        written = state.written[table]
        deque(islice(rows, written), maxlen=0)
        for part in parts(rows, AT_ONCE[table]):
            with transaction.atomic():
                target.insert(part)
            written += len(part)
            self.progress(table, written)

    def write_designs(self, rows: Rows, state: State) -> None:
        """Write the designs after those that are written already, with their pictures."""
        written, total = state.written[catalogue.DESIGNS], 0
        known = () if state.is_new else Image.objects.values_list("object_key", flat=True)
        # The processes are forked here, before the first thread.
        with ProcessPoolExecutor(self.options.workers, mp_context=get_context("fork")) as pool:
            pictures = Pictures(pool, self.options.workers, known, self.listed)
            for part in parts(read(self.source, catalogue.DESIGNS), AT_ONCE[catalogue.DESIGNS]):
                if total < written:
                    total += len(list(rows.of_designs(part)))
                    continue
                images: list[Model] = [*pictures.take(text_of(row["r2_object_key"]) for _, row in part)]
                rows.designs.shown = pictures
                designs = list(rows.of_designs(part))
                images += give_stand_in(designs)
                with transaction.atomic():
                    target.insert(images)
                    target.insert([*designs])
                total += len(designs)
                self.progress(catalogue.DESIGNS, total)

    @cached_property
    def digest(self) -> str:
        """What this adoption is recognised by: the rows of the seed, and how they are written."""
        found = hashlib.sha256(repr((AT_ONCE, self.options.rename)).encode())
        for table in TABLES:
            for row in read(self.source, table):
                found.update(repr(row).encode("utf-8", "surrogatepass"))
        return found.hexdigest()


def give_stand_in(designs: Sequence[Design]) -> list[Model]:
    """Give the designs without a picture the stand-in; return its row if it is new. Raises Unavailable."""
    lacking = [design for design in designs if not design.image_id]
    if not lacking:
        return []
    key, rows = stand_in()
    for design in lacking:
        design.image_id = key
    return rows


def read(source: Source, table: str) -> Iterator[tuple[int, Row]]:
    return source.rows(table) if table in source.tables else iter(())


def parts(rows: Iterable[T], most: int) -> Iterator[list[T]]:
    waiting = iter(rows)
    while part := list(islice(waiting, most)):
        yield part


def require_seed(source: Source) -> None:
    """Raise SeedError unless the source has the seed's tables with the columns that are needed."""
    for table, (needed, _) in TABLES.items():
        columns = {column.lower() for column in source.tables.get(table, ())}
        if what := source.others.get(table):
            raise SeedError(
                f"In {source.name}, {table} is {what}, which is not read. Make a plain table of that name with its "
                "rows in a copy of the seed, and name the copy."
            )
        if not columns and table not in REQUIRED:
            continue
        if lacking := [column for column in needed if column not in columns]:
            what = f"the columns {', '.join(lacking)} of {table}" if columns else f"the table {table}"
            raise SeedError(f"{source.name} is not the seed's database: it lacks {what}.")
        if "username_key" in columns:
            raise SeedError(f"{source.name} is a database of this gallery already, and no seed's.")


def remarks(source: Source, rows: Rows) -> Iterator[str]:
    """Sentences about what is not taken of whole tables and columns, and what the owner should look at."""
    for table, (_, known) in TABLES.items():
        if table not in source.tables:
            yield f"The seed has no table {table}."
            continue
        columns = {column.lower(): column for column in source.tables[table]}
        if unknown := [name for lower, name in columns.items() if lower not in known]:
            yield f"Columns of {table} that are not taken: {', '.join(map(printable, unknown))}."
        if lacking := [name for name in known if name not in columns and name not in OWN]:
            yield f"Columns that {table} does not have: {', '.join(lacking)}."
    for table in sorted(source.tables.keys() - TABLES.keys()):
        yield f"The table {printable(table)} is not taken. It has {source.count(table)} rows."
    likes = rows.favourites.likes
    if differing := sum(count != likes[key] for key, count in rows.designs.likes.items()):
        yield f"{differing} designs had another like_count than they have favourites; the favourites count."
    if not rows.users.admins:
        yield "No approved admin is among the users: make one with `manage.py create_admin` afterwards."
