"""The first fill of a copy: pages by key, then the changes made meanwhile. Killed, it goes on where it was."""

import sqlite3
import uuid
from collections.abc import Callable
from pathlib import Path

from .copy import Copy, UnfitError
from .folder import Folder
from .options import Options
from .source import Description, Source

# A page aims at so many bytes of JSON.
_PAGE_BYTES = 1_000_000
_FIRST_PAGE, _LARGEST_PAGE = 200, 5_000

Progress = Callable[[str, int], None]


def fill(
    folder: Folder, source: Source, options: Options, progress: Progress = lambda table, rows: None
) -> Path:
    """Make a complete copy, which is not read yet; the folder must be locked.

    `progress` is told of each page: its table and how many rows came.
    Raises UnfitError when the log was installed anew under way, and what D1 raises.
    """
    if not source.fits():
        source.install(exactly=False)
    description = source.describe()
    copy = _unfinished(folder, description, options) or _new(folder, description, options)
    try:
        if copy.filled:
            return copy.path
        for table, shape in copy.shapes.items():
            after, done = copy.position(table)
            limit = _FIRST_PAGE
            while not done:
                rows, size = source.page(shape, after, limit)
                done = len(rows) < limit
                copy.fill(shape, rows, last=done)
                progress(table, len(rows))
                if rows:
                    after = rows[-1][shape.columns.index(shape.key)]
                    limit = max(1, min(_LARGEST_PAGE, limit * 4, limit * _PAGE_BYTES // max(size, 1)))
        whole = False
        while not whole:
            news = source.news(copy.shapes.values(), copy.seq)
            copy.catch_up(news)
            whole = news.whole
        copy.finish(description, source.versions(), news.floor)
    except UnfitError:
        # Nothing can continue it.
        copy.path.unlink(missing_ok=True)
        raise
    finally:
        copy.close()
    return copy.path


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
