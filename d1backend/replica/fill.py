"""The first fill of a copy: pages by key, then the changes made meanwhile. Killed, it goes on where it was."""

import dataclasses
import sqlite3
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from d1backend.replica.changes import MOST_TEXT, Shape
from d1backend.replica.copy import Copy
from d1backend.replica.directory import Folder
from d1backend.replica.options import Options
from d1backend.replica.source import Change, Description, News, Source, UnfitError

# A page aims at so many characters of JSON.
_PAGE_TEXT = 1_000_000
_FIRST_PAGE, _LARGEST_PAGE = 200, 5_000
# With more changes than this, filling anew is cheaper.
_MOST_MISSED, _MOST_ROUNDS = 20_000, 50
# How often (seconds) a sync looks at the whole schema, which D1 counts as a row read for each object in it.
_SCHEMA_AGE = 15.0

Progress = Callable[[str, int], None]


def fill(
    folder: Folder, source: Source, options: Options, progress: Progress = lambda table, rows: None
) -> Path:
    """Make a complete copy, which is not read yet; the folder must be locked.

    `progress` is told of each page: its table and how many rows came.
    Raises UnfitError when what was begun cannot be completed, and what D1 raises; it can be called again then.
    """
    if not source.fits():
        source.install(exactly=False)
    description = source.describe()
    copy = _unfinished(folder, description, options) or _new(folder, description, options)
    try:
        if copy.filled:
            advance(copy, source)
        else:
            for table, shape in copy.shapes.items():
                _fill_table(copy, source, table, shape, progress)
            copy.finish(description, _catch_up(copy, source))
    except (UnfitError, sqlite3.DatabaseError) as error:
        if isinstance(error, UnfitError) or is_damage(error):
            copy.path.unlink(missing_ok=True)
        raise
    finally:
        copy.close()
    return copy.path


def advance(copy: Copy, source: Source) -> float:
    """Bring in all changes since; returns a moment (time.time()) whose state the copy holds now.

    Raises UnfitError when the changes do not continue the copy, or filling anew is cheaper.
    """
    schema = not 0.0 <= time.time() - copy.checked < _SCHEMA_AGE
    at = since = copy.seq
    found: list[Change] = []
    anchor = None
    for _ in range(_MOST_ROUNDS):
        news = source.news(copy.shapes.values(), at, schema=schema)
        copy.check(news)
        found += news.changes
        anchor = news.anchor if at == since else anchor
        if news.whole:
            copy.apply(dataclasses.replace(news, since=since, anchor=anchor, changes=found))
            if schema:
                copy.checked = news.started
            return news.started
        at = news.reached
        if len(found) > _MOST_MISSED:
            break
    raise UnfitError("too much has changed since")


def _fill_table(copy: Copy, source: Source, table: str, shape: Shape, progress: Progress) -> None:
    after, done = copy.position(table)
    limit = _FIRST_PAGE
    while not done:
        rows, size = source.page(shape, after, limit)
        done = len(rows) < limit and size < MOST_TEXT
        copy.fill(shape, rows, last=done)
        progress(table, len(rows))
        if rows:
            after = rows[-1][shape.columns.index(shape.key)]
            limit = max(1, min(_LARGEST_PAGE, limit * 4, len(rows) * _PAGE_TEXT // max(size, 1)))


def _catch_up(copy: Copy, source: Source) -> News:
    """Take in the changes that were made while tables were filled; returns the last of them."""
    while True:
        news = source.news(copy.shapes.values(), copy.seq, versions=True)
        copy.catch_up(news)
        if news.whole:
            return news


def is_damage(error: BaseException | None) -> bool:
    """Whether the local file is damaged; errors of D1 carry no such name."""
    return getattr(error, "sqlite_errorname", "") in ("SQLITE_CORRUPT", "SQLITE_NOTADB")


def _unfinished(folder: Folder, description: Description, options: Options) -> Copy | None:
    """A copy that an earlier fill has begun, or made and not yet handed over."""
    for path in folder.files():
        try:
            copy = Copy(path)
        except sqlite3.Error:
            continue
        if (copy.epoch, copy.signature) == (description.epoch, options.signature):
            return copy
        copy.close()
    return None


def _new(folder: Folder, description: Description, options: Options) -> Copy:
    path = folder.path / f"replica-{description.epoch[:8]}-{uuid.uuid4().hex[:8]}.sqlite3"
    hide = {table: set(columns) for table, columns in options.hide.items()}
    return Copy.create(path, description, options.signature, hide)
