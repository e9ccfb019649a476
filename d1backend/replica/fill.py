"""The first fill of a copy: each table in pages by key, then the changes made meanwhile. It can be resumed."""

import logging
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

from d1backend.errors import RateLimited
from d1backend.replica.changes import MAX_CHANGES, MAX_TEXT, ChangeSet
from d1backend.replica.copy import ReplicaCopy
from d1backend.replica.directory import ReplicaDirectory
from d1backend.replica.source import Source
from d1backend.replica.tables import SourceSchema

log = logging.getLogger(__name__)

# The size that a page aims at, in characters of JSON.
_PAGE_TEXT = 1_500_000
_FIRST_PAGE, _LARGEST_PAGE = 200, 50_000
# The rows of a page are at most so many times those of the one before: longer rows may follow.
_GROWTH = 8
# A fill applies the changes that were made meanwhile this often (seconds), so the log is never cut beneath it.
_CATCH_UP = 30.0
# The wait after a 429 that does not say how long (seconds).
_WAIT = 10.0

T = TypeVar("T")
# Called after each page with the name of the table and the number of rows.
Progress = Callable[[str, int], None]


def find_unpublished_copy(directory: ReplicaDirectory, schema: SourceSchema) -> ReplicaCopy | None:
    """A copy that an earlier fill has started, or completed but not published."""
    for path in directory.files():
        try:
            copy = ReplicaCopy(path)
        except sqlite3.Error:
            continue
        if (copy.epoch, copy.signature) == (schema.epoch, directory.options.signature):
            return copy
        copy.close()
    return None


def create_copy(directory: ReplicaDirectory, schema: SourceSchema) -> ReplicaCopy:
    """A new copy with empty tables."""
    path = directory.path / f"replica-{schema.epoch[:8]}-{uuid.uuid4().hex[:8]}.sqlite3"
    return ReplicaCopy.create(path, schema, directory.options)


def fill_copy(copy: ReplicaCopy, source: Source, schema: SourceSchema, progress: Progress) -> None:
    """Fill a copy that nobody reads yet, from where an earlier fill stopped; waits while D1's limit is used up.

    Raises NeedsRefill when the copy cannot be completed, and the other errors of D1; then it can be continued.
    """
    if not all(copy.fill_position(name)[1] for name in copy.tables):
        _begin(copy, source)
    caught_up = time.monotonic()
    for name in copy.tables:
        for rows in _fill_table(copy, source, name):
            progress(name, rows)
            if time.monotonic() - caught_up > _CATCH_UP:
                _catch_up(copy, source)
                caught_up = time.monotonic()
    if schema.seq - copy.seq > MAX_CHANGES:
        # Without versions, because the question for them reads the whole log. An older snapshot takes many rounds.
        _catch_up(copy, source)
    copy.finish_fill(schema.search, source.options, _catch_up(copy, source, versions=True))


def _begin(copy: ReplicaCopy, source: Source) -> None:
    """Count the rows to come, or apply what has changed since an earlier fill stopped."""
    if copy.has_totals:
        _catch_up(copy, source)
    else:
        copy.set_totals(patiently(lambda: source.count_rows(copy.tables.values())))


def _fill_table(copy: ReplicaCopy, source: Source, name: str) -> Iterator[int]:
    """Insert the pages of a table that are missing; yields the number of rows of each."""
    after, is_done = copy.fill_position(name)
    limit = _FIRST_PAGE
    while not is_done:
        # It may have gained columns since the last page.
        table = copy.tables[name]
        rows, size = patiently(partial(source.fetch_page, table, after, limit))
        is_done = len(rows) < limit and size < MAX_TEXT
        copy.insert_page(table, rows, is_last=is_done)
        if rows:
            after, _ = copy.fill_position(name)
            limit = max(1, min(_LARGEST_PAGE, limit * _GROWTH, len(rows) * _PAGE_TEXT // max(size, 1)))
        yield len(rows)


def _catch_up(copy: ReplicaCopy, source: Source, *, versions: bool = False) -> ChangeSet:
    """Apply the changes made since the fill started or last did so; returns the last change set.

    Rows of pages that are still missing may be among them: each comes again, as new or newer, with its page.
    """
    while True:
        shape = copy.shape()
        change_set = patiently(partial(source.fetch_changes, shape, copy.seq, versions=versions))
        copy.require_continues(change_set)
        if change_set.state.number != shape.number:
            copy.take_over(copy.change_to(change_set.state, source.options))
            continue
        copy.apply_before_first_read(change_set)
        if change_set.is_complete:
            return change_set


def patiently(ask: Callable[[], T]) -> T:
    """What `ask` returns, once D1's limit and this host's share of it allow."""
    while True:
        try:
            return ask()
        except RateLimited as refused:
            wait = refused.retry_after or _WAIT
            log.info("The fill waits %.0f s for D1's limit on requests.", wait)
            time.sleep(wait)
