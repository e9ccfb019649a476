"""The copy as one process of a host sees it: how fresh it is, who brings it forward, when it may not be read.

A read costs one os.stat(). When the copy gets old, a thread of the process asks D1 once for all changes; of several
processes one does, the others find its work done. Nobody asks while nobody reads.
"""

import logging
import os
import sqlite3
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import DatabaseError

from ..errors import RateLimited
from . import folder as files
from .changes import MOST_CHANGES
from .copy import Copy, UnfitError
from .fill import Progress, fill
from .folder import Folder
from .options import Options
from .source import Change, News, Source

log = logging.getLogger(__name__)

# A read asks for a sync when the copy has come to this part of its allowed age, so that it seldom has to wait.
_EARLY = 0.75
_LONGEST_WAIT = 1.0
# With more changes than this, filling anew is cheaper.
_MOST_ROUNDS = 20_000 // MOST_CHANGES
_FAILURES = (sqlite3.Error, DatabaseError, OSError, LookupError, ValueError)


@dataclass(eq=False)
class Generation:
    """A file that is read, and the descriptor of the pointer that named it."""

    path: Path
    fd: int
    inode: int
    copy: Copy
    tables: frozenset[str]
    models: dict[Any, bool] = field(default_factory=dict)

    def __del__(self) -> None:
        with suppress(OSError):
            os.close(self.fd)


class Host:
    """One replica in this process; used by all its threads."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.folder = Folder(options.directory)
        self._current = self.folder.current
        self._early = options.max_age * _EARLY
        self._left_behind: list[Any] = []
        self.reset()

    def reset(self) -> None:
        """Begin anew in a process just forked: the parent's connections are left alone, its threads are not here."""
        self._left_behind.append(getattr(self, "generation", None))
        self.generation: Generation | None = None
        self._inode = -1
        self._needed = 0.0
        self._slow = False
        self._resting = 0.0
        self._source: Source | None = None
        self._filling: tuple[str, int] | None = None
        self._following = threading.Lock()
        self._rounds = threading.Condition()
        self._wanted = threading.Event()
        self._thread: threading.Thread | None = None

    # Reading

    def ready(self) -> bool:
        """Whether the copy can be read now; waits for it a little when it is too old and D1 answers."""
        try:
            stat = os.stat(self._current)
        except OSError:
            self._leave()
            self._want()
            return False
        if stat.st_ino != self._inode and not self._follow():
            self._want()
            return False
        moment = stat.st_mtime
        if 0.0 <= time.time() - moment < self._early and moment >= self._needed:
            return True
        self._want()
        return self._is_fresh() or self._wait()

    def can_read(self, tables: frozenset[str]) -> bool:
        """Whether these tables can be read from the copy now."""
        if not self.ready():
            return False
        generation = self.generation
        return generation is not None and tables <= generation.tables

    def can_read_model(self, model: Any) -> bool:
        """Whether the copy can be read now and has the columns of a model."""
        if not self.ready():
            return False
        generation = self.generation
        if generation is None:
            return False
        known = generation.models.get(model)
        if known is None:
            known = generation.models[model] = self._holds(generation, model)
        return known

    def _holds(self, generation: Generation, model: Any) -> bool:
        """Whether a model's table is here with all its columns: code and copy may be of different releases."""
        table = model._meta.db_table
        shape = generation.copy.shapes.get(table)
        if shape is None:
            return table in generation.tables
        return {f.column for f in model._meta.local_concrete_fields} <= set(shape.columns)

    def follows(self) -> bool:
        """Whether there is a copy, fresh or not."""
        try:
            inode = os.stat(self._current).st_ino
        except OSError:
            return False
        return inode == self._inode or self._follow()

    def _is_fresh(self) -> bool:
        moment = self._moment()
        return (
            moment is not None
            and moment >= self._needed
            and 0.0 <= time.time() - moment <= self.options.max_age
        )

    def _moment(self) -> float | None:
        try:
            return os.stat(self._current).st_mtime
        except OSError:
            return None

    def _wait(self) -> bool:
        """Wait for a sync, but for no longer than is good for a reader, and never while D1 fails."""
        until = time.monotonic() + _LONGEST_WAIT
        with self._rounds:
            while not self._slow and time.time() >= self._resting and not self._is_fresh():
                left = until - time.monotonic()
                if left <= 0:
                    self._slow = True
                    break
                self._rounds.wait(left)
                if self._moment() is None:
                    break
        return self._follow()

    def _follow(self) -> bool:
        """Go to the file that the pointer names now; False when there is none to read."""
        with self._following:
            for _ in range(3):
                found = self.folder.open_current()
                if found is None:
                    break
                fd, path = found
                inode = os.fstat(fd).st_ino
                if self.generation is not None and inode == self._inode:
                    os.close(fd)
                    return True
                try:
                    copy = Copy(path)
                except sqlite3.Error:
                    # Deleted since for a newer one, or damaged: then it counts as old, and is filled anew.
                    files.expire(fd, self.options.max_age)
                    os.close(fd)
                    continue
                tables = frozenset((*copy.shapes, *self.options.search))
                self.generation, self._inode = Generation(path, fd, inode, copy, tables), inode
                return True
        self._leave()
        return False

    def _leave(self) -> None:
        self.generation, self._inode = None, -1

    # The thread that syncs

    def _want(self) -> None:
        if time.time() < self._resting:
            return
        if self._thread is None or not self._thread.is_alive():
            with self._following:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._work, name="d1-replica", daemon=True)
                    self._thread.start()
        self._wanted.set()

    def _work(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            try:
                self._round()
            except Exception:
                log.exception("The replica %s could not be brought forward.", self.options.alias)
                self._resting = time.time() + 1.0
            with self._rounds:
                self._rounds.notify_all()

    def _round(self) -> None:
        if (until := self.folder.resting_until()) > time.time():
            self._resting = until
            return
        with self.folder.locked():
            moment = self._moment()
            if moment is not None and 0.0 <= time.time() - moment < self._early and moment >= self._needed:
                self._slow = False
                return
            if (until := self.folder.resting_until()) > time.time():
                self._resting = until
                return
            try:
                self.bring_forward(self._own_source())
            except _FAILURES as error:
                self._note(error)
            else:
                self._slow, self._resting = False, 0.0
                if self.folder.trouble():
                    self.folder.clear_trouble()
                    log.info("The replica %s follows D1 again.", self.options.alias)

    def _note(self, error: Exception) -> None:
        if not self.folder.trouble():
            log.warning("The replica %s cannot follow D1: %s", self.options.alias, error)
        self.folder.note_trouble(type(error).__name__, getattr(error, "retry_after", 0.0))
        self._resting = self.folder.resting_until()

    def _own_source(self) -> Source:
        if self._source is None:
            self._source = Source(self.options, patient=False)
        return self._source

    # Bringing it forward; the folder must be locked

    def bring_forward(self, source: Source, progress: Progress | None = None) -> None:
        """Sync the copy, or fill a new one when there is none or it does not fit."""
        generation = self.generation if self._follow() else None
        if generation is None or generation.copy.signature != self.options.signature:
            self._fill(source, progress)
            return
        try:
            self._sync(source, generation)
        except (UnfitError, sqlite3.DatabaseError) as error:
            if not isinstance(error, UnfitError) and not _is_damage(error):
                raise
            log.warning("The replica %s is filled anew: %s.", self.options.alias, error)
            self.folder.retract()
            generation.path.unlink(missing_ok=True)
            if isinstance(error, UnfitError) and error.back:
                source.install(exactly=False, anew=True)
            self._fill(source, progress)

    def _sync(self, source: Source, generation: Generation) -> None:
        since = generation.copy.seq
        shapes = generation.copy.shapes.values()
        found: list[Change] = []
        at = since
        for _ in range(_MOST_ROUNDS):
            news = source.news(shapes, at)
            generation.copy.check(news)
            found += news.changes
            if news.whole:
                whole = News(since, news.started, news.epoch, news.floor, True, news.seq, found, True)
                generation.copy.apply(whole)
                files.touch(generation.fd, news.started)
                return
            at = news.reached
        raise UnfitError("too much has changed since")

    def _fill(self, source: Source, progress: Progress | None) -> None:
        self._leave()
        self.folder.retract()

        def told(table: str, rows: int) -> None:
            before = self._filling[1] if self._filling and self._filling[0] == table else 0
            self._filling = (table, before + rows)
            if progress is not None:
                progress(table, rows)

        try:
            path = fill(self.folder, source, self.options, told)
        finally:
            self._filling = None
        self.folder.publish(path)
        self.folder.tidy(path)
        if self._follow() and self.generation is not None:
            self._sync(source, self.generation)

    # A commit's own news

    def take(self, generation: Generation, news: News) -> None:
        """Take in what a writing batch brought along, or see that reads wait for it."""
        try:
            done = generation is self.generation and generation.copy.apply(news)
        except (UnfitError, sqlite3.Error) as error:
            log.info("A commit's changes did not fit the replica %s: %s.", self.options.alias, error)
            done = False
        if done:
            files.touch(generation.fd, news.started)
        else:
            self.missed()

    def missed(self) -> None:
        """Something was written that the copy does not hold: reads wait for a sync that begins after this."""
        self._needed = time.time()
        generation = self.generation
        if generation is not None or self._follow():
            generation = self.generation
            if generation is not None:
                files.expire(generation.fd, self.options.max_age)

    # Health

    def status(self) -> dict[str, Any]:
        """See d1backend.replica.status()."""
        moment, trouble = self._moment(), self.folder.trouble()
        copy = self.generation.copy if self._follow() and self.generation else None
        return {
            "usable": copy is not None,
            "age": None if moment is None else max(0.0, time.time() - moment),
            "degraded": bool(trouble) or copy is None,
            "filling": self._filling,
            "error": trouble.get("kind"),
            "seq": None if copy is None else copy.seq,
        }


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether the local file is damaged; what D1 answers is told apart by being no error of a local file."""
    return not isinstance(error, RateLimited) and getattr(error, "sqlite_errorname", "") in (
        "SQLITE_CORRUPT",
        "SQLITE_NOTADB",
    )
