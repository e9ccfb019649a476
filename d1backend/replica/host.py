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

from d1backend.replica.copy import Copy
from d1backend.replica.directory import Folder
from d1backend.replica.options import Options
from d1backend.replica.source import News, Source, UnfitError
from d1backend.replica.sync import bring_forward

log = logging.getLogger(__name__)

# A read asks for a sync when the copy has come to this part of its allowed age, so that it seldom has to wait.
_EARLY = 0.75
_LONGEST_WAIT = 1.0
# A clock that went back by no more than this is taken for one that went on.
_STEP = 0.05
# Who has read the pointer opens the file it names within this time.
_GRACE = 60.0
# After a failure that not even the directory can be told of.
_PAUSE = 10.0
_FAILURES = (UnfitError, sqlite3.Error, DatabaseError, OSError, LookupError, ValueError)


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
        self.folder = Folder(options.directory, options.max_age)
        self._current = self.folder.current
        self._early = options.max_age * _EARLY
        self.reset()

    def reset(self) -> None:
        """Begin anew, as in a process just forked: its parent's threads are not here."""
        self.generation: Generation | None = None
        self.filling: tuple[str, int] | None = None
        self._inode = -1
        self._slow = False
        self._broken: str | None = None
        self._resting = 0.0
        self._clock = time.time() - time.monotonic()
        self._tidy_at = time.monotonic() + _GRACE
        self._source: Source | None = None
        self._following = threading.Lock()
        self._rounds = threading.Condition()
        self._wanted = threading.Event()
        self._thread: threading.Thread | None = None

    def suspend(self) -> bool:
        """Close the file until the next read; returns whether it was open."""
        generation = self.generation
        self._leave()
        if generation is not None:
            generation.copy.close()
        return generation is not None

    # Reading

    def ready(self) -> bool:
        """Whether reads go to the copy now; waits for it a little when it is too old and D1 answers."""
        try:
            stat = os.stat(self._current)
        except OSError:
            self._leave()
            self.want()
            return False
        if stat.st_ino != self._inode and self.follow() is None:
            self.want()
            return False
        now = time.time()
        if 0.0 <= now - stat.st_mtime < self._early and now - time.monotonic() > self._clock - _STEP:
            return True
        return self._ready_when_fresh(now)

    def _ready_when_fresh(self, now: float) -> bool:
        """Whether reads go to a copy that is old or soon will be.

        They do when D1 does not answer, but for who would miss a write of this host there while D1 does answer: then,
        and not while the last question to D1 failed, they go to D1.
        """
        clock = now - time.monotonic()
        if clock <= self._clock - _STEP and (generation := self.generation) is not None:
            log.warning("The clock went back: how old the replica %s is cannot be told.", self.options.alias)
            self.folder.expire(generation.fd)
        self._clock = clock
        self.want()
        if self._is_fresh() or self._wait(now):
            return True
        moment = self._moment()
        if moment is None:
            return False
        return time.time() < self._resting or bool(self.folder.trouble()) or moment >= self.folder.missed()

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

    def _is_fresh(self) -> bool:
        moment = self._moment()
        return moment is not None and 0.0 <= time.time() - moment <= self.options.max_age

    def _moment(self) -> float | None:
        try:
            return os.stat(self._current).st_mtime
        except OSError:
            return None

    def _wait(self, since: float) -> bool:
        """Wait for a sync that begins after `since`, but no longer than is good for a reader, nor while D1 fails."""
        until = time.monotonic() + _LONGEST_WAIT
        with self._rounds:
            while not self._slow and time.time() >= self._resting:
                left = until - time.monotonic()
                if left <= 0:
                    self._slow = True
                    break
                self._rounds.wait(left)
                moment = self._moment()
                if moment is None:
                    break
                if since <= moment <= time.time() or self._is_fresh():
                    return self.follow() is not None
        return False

    def follow(self) -> Generation | None:
        """Go to the file that the pointer names now, fresh or not; None when there is none to read."""
        with suppress(OSError):
            if os.stat(self._current).st_ino == self._inode:
                return self.generation
        with self._following:
            for _ in range(3):
                found = self.folder.open_current()
                if found is None:
                    break
                fd, path = found
                inode = os.fstat(fd).st_ino
                if self.generation is not None and inode == self._inode:
                    os.close(fd)
                    return self.generation
                try:
                    copy = Copy(path)
                except sqlite3.Error:
                    # Deleted since for a newer one, or damaged: then it counts as old, and is filled anew.
                    self.folder.expire(fd)
                    os.close(fd)
                    continue
                if copy.signature != self.options.signature:
                    # Made for other settings: it may lack a table, or hold a column that is hidden now.
                    copy.close()
                    os.close(fd)
                    break
                tables = frozenset((*copy.shapes, *self.options.search))
                self.generation, self._inode = Generation(path, fd, inode, copy, tables), inode
                self._tidy_at = time.monotonic() + _GRACE
                return self.generation
        self._leave()
        return None

    def _leave(self) -> None:
        self.generation, self._inode = None, -1

    # The thread that syncs

    def want(self) -> None:
        if time.time() < self._resting:
            return
        if self._thread is None or not self._thread.is_alive():
            with self._following:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._work, name="d1-replica", daemon=True)
                    # A process that ends starts no more threads; its reads go on.
                    with suppress(RuntimeError):
                        self._thread.start()
        self._wanted.set()

    def _work(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            try:
                self._round()
            except Exception as error:
                log.exception("The replica %s could not be brought forward.", self.options.alias)
                self._broken, self._resting = type(error).__name__, time.time() + _PAUSE
            with self._rounds:
                self._rounds.notify_all()

    def _round(self) -> None:
        if self._rests():
            return
        with self.folder.locked():
            moment = self._moment() if self.follow() is not None else None
            if moment is not None and 0.0 <= time.time() - moment < self._early:
                self._slow = False
                return
            if self._rests():
                return
            try:
                bring_forward(self, self._own_source())
            except _FAILURES as error:
                self._note(error)
                return
            self._slow, self._resting, self._broken = False, 0.0, None
            if self.folder.trouble():
                self.folder.clear_trouble()
                log.info("The replica %s follows D1 again.", self.options.alias)
            if time.monotonic() >= self._tidy_at and self.generation is not None:
                self.folder.tidy(self.generation.path)
                self._tidy_at = float("inf")

    def _rests(self) -> bool:
        """Whether D1 is to be left alone for now."""
        until = self.folder.resting_until()
        if until > time.time():
            self._resting = until
        return until > time.time()

    def _note(self, error: Exception) -> None:
        if not self.folder.trouble():
            log.warning("The replica %s cannot follow D1: %s", self.options.alias, error)
        self.folder.note_trouble(type(error).__name__, getattr(error, "retry_after", 0.0))
        self._resting = self.folder.resting_until()

    def _own_source(self) -> Source:
        if self._source is None:
            self._source = Source(self.options, patient=False)
        return self._source

    # A commit's own news

    def take(self, generation: Generation, news: News) -> None:
        """Take in what a writing batch brought along, or see that reads wait for it."""
        try:
            done = generation.copy.apply(news)
        except (UnfitError, sqlite3.Error) as error:
            log.info("A commit's changes did not fit the replica %s: %s.", self.options.alias, error)
            done = False
        # A file that took its place meanwhile was completed before this commit, or will be synced after it.
        if done and self._reads(generation):
            self.folder.confirm(generation.fd, news.started)
        else:
            self.missed()

    def missed(self) -> None:
        """Something was written that the copy does not hold: reads wait for a sync that begins after this."""
        self.folder.miss()
        if (generation := self.follow()) is not None:
            self.folder.expire(generation.fd)

    def _reads(self, generation: Generation) -> bool:
        """Whether the pointer still names that file."""
        try:
            return os.stat(self._current).st_ino == generation.inode
        except OSError:
            return False

    def discard(self, generation: Generation) -> None:
        """Read from the source until there is a new copy: the file is damaged."""
        log.error("The file of the replica %s is damaged; it is filled anew.", self.options.alias)
        self.folder.retract(generation.inode)
        generation.path.unlink(missing_ok=True)
        self._leave()

    # Health

    def status(self) -> dict[str, Any]:
        """See d1backend.replica.status()."""
        moment, trouble, generation = self._moment(), self.folder.trouble(), self.follow()
        copy = None if generation is None else generation.copy
        error = trouble.get("kind") or self._broken
        return {
            "usable": copy is not None,
            "age": None if copy is None or moment is None else max(0.0, time.time() - moment),
            "degraded": error is not None or copy is None or copy.abandoned,
            "filling": self.filling,
            "error": error,
            "seq": None if copy is None else copy.seq,
        }
