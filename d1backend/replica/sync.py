"""A sync of the copy with D1: apply the new changes, or refill the copy when they do not continue it."""

import dataclasses
import logging
import sqlite3
import time
from functools import partial
from pathlib import Path

from d1backend import events
from d1backend.errors import RateLimited
from d1backend.protocol.budget import Spender, spending
from d1backend.replica.changes import Change, ChangeSet, NeedsRefill
from d1backend.replica.copy import ReplicaCopy, is_damage
from d1backend.replica.directory import ReplicaDirectory
from d1backend.replica.fill import Progress, create_copy, fill_copy, find_unpublished_copy, patiently
from d1backend.replica.installation import install_log, log_is_installed
from d1backend.replica.snapshot import OpenSnapshot, is_from_snapshot, open_snapshot, restore
from d1backend.replica.snapshot_lease import MigrationAwaited, require_no_migration
from d1backend.replica.source import Source
from d1backend.replica.tables import Shape, SourceSchema

log = logging.getLogger(__name__)

# With more changes than this, a refill takes fewer requests.
_MAX_CHANGES, _MAX_ROUNDS = 20_000, 50
# How often a sync may meet another schema.
_MOST_SCHEMAS = 5
# A sync compares the whole schema this often (seconds), in case others than this backend change it: D1 counts each
# object of the schema as a row read. A change by this backend shows in the version of the schema at once.
_SCHEMA_AGE = 600.0


def sync(
    directory: ReplicaDirectory,
    source: Source,
    progress: Progress | None = None,
    *,
    holder: str | None = None,
) -> None:
    """Bring the current copy up to date, or fill a new one; the directory must be locked.

    An old copy stays readable until the new one is complete. Raises the errors of D1, NeedsRefill when the fill must
    start again, and MigrationAwaited when it should wait for a migration that is not that of `holder`.
    """
    started, outcome = time.perf_counter(), "failed"
    try:
        with spending(Spender.SYNC):
            is_current = _sync_current(directory, source)
        if not is_current:
            with spending(Spender.FILL):
                _refill(directory, source, progress, holder)
        outcome = "done" if is_current else "filled"
    except MigrationAwaited:
        outcome = "waits"
        raise
    except RateLimited as refused:
        outcome = "no_room" if refused.own else outcome
        raise
    finally:
        events.sync_ended.send(ReplicaDirectory, outcome=outcome, seconds=time.perf_counter() - started)


def _sync_current(directory: ReplicaDirectory, source: Source) -> bool:
    """Bring the current copy up to date; returns False when there is none or it must be filled again."""
    opened = directory.open_current()
    if opened is not None and not opened.copy.is_obsolete:
        try:
            moment = apply_new_changes(opened.copy, source)
        except NeedsRefill as reason:
            log.warning("The replica %s is filled again: %s.", directory.options.alias, reason)
            opened.copy.mark_obsolete()
            if reason.restored:
                install_log(source, exact=False, new_epoch=True)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            directory.discard(opened)
        else:
            directory.mark_fresh(opened, moment)
            return True
    return False


def apply_new_changes(copy: ReplicaCopy, source: Source) -> float:
    """Fetch and apply all changes since; returns a moment (time.time()) up to which the copy is complete.

    A compatible newer schema is taken over with the changes, which then are fetched once more with its columns. The
    log is installed when the schema is newer than it, and cut when it has grown too long.
    Raises NeedsRefill when the changes do not continue the copy, or a refill is cheaper.
    """
    shape, change = copy.shape(), None
    check_schema = not 0.0 <= time.time() - copy.schema_checked_at < _SCHEMA_AGE
    for _ in range(_MOST_SCHEMAS):
        change_set = _fetch_changes(copy, source, shape, check_schema=check_schema)
        state = change_set.state
        if state.number != shape.number:
            change = copy.change_to(state, source.options)
            shape = change.shape
        elif state.is_same:
            copy.apply(change_set, change)
            if check_schema:
                copy.note_schema(change_set.started, state.version)
                if state.needs_trim:
                    source.trim_log()
            return change_set.started
        elif check_schema:
            install_log(source, exact=False, may_begin_epoch=False)
        check_schema = True
    raise NeedsRefill("the schema on D1 keeps changing")


def _fetch_changes(copy: ReplicaCopy, source: Source, shape: Shape, *, check_schema: bool) -> ChangeSet:
    """All changes since the copy's last one; those of one answer when the schema on D1 is not that of `shape`.

    Raises NeedsRefill when they do not continue the copy, or a refill is cheaper.
    """
    first = last = copy.seq
    changes: list[Change] = []
    anchor = None
    for _ in range(_MAX_ROUNDS):
        change_set = source.fetch_changes(shape, last, check_schema=check_schema)
        copy.require_continues(change_set)
        if not change_set.fits:
            return change_set
        changes += change_set.changes
        anchor = change_set.anchor if last == first else anchor
        if change_set.is_complete:
            return dataclasses.replace(change_set, since=first, anchor=anchor, changes=changes)
        last = change_set.last_seq
        if len(changes) > _MAX_CHANGES:
            break
    raise NeedsRefill("too much has changed since")


def _refill(
    directory: ReplicaDirectory, source: Source, progress: Progress | None, holder: str | None
) -> None:
    """Complete a new copy, publish it, and bring it up to date."""
    if directory.options.snapshots is not None:
        patiently(partial(require_no_migration, source, holder))
    directory.publish(_complete_copy(directory, source, progress))
    opened = directory.open_current()
    if opened is not None:
        # A commit that began before publish() was applied to the old copy only: mark the new one as fresh by a sync
        # that begins after it.
        directory.mark_fresh(opened, apply_new_changes(opened.copy, source))


def _complete_copy(directory: ReplicaDirectory, source: Source, progress: Progress | None) -> Path:
    """The file of a complete copy: resumed from an earlier fill, or from a snapshot, where possible.

    Deletes the file when the fill fails in a way that resuming it cannot cure.
    """
    if not patiently(partial(log_is_installed, source)):
        patiently(partial(install_log, source, exact=False))
    schema = patiently(source.fetch_schema)
    copy, snapshot = _begun_copy(directory, source, schema)

    def report(table: str, rows: int) -> None:
        directory.write_filling(copy.filling(table))
        if progress is not None:
            progress(table, rows)

    try:
        if copy.is_filled:
            apply_new_changes(copy, source)
        else:
            if snapshot is not None:
                restore(directory, snapshot, copy, report)
            fill_copy(copy, source, schema, report)
    except (NeedsRefill, sqlite3.DatabaseError) as error:
        if isinstance(error, NeedsRefill) or is_damage(error):
            copy.path.unlink(missing_ok=True)
        raise
    finally:
        copy.close()
    return copy.path


def _begun_copy(
    directory: ReplicaDirectory, source: Source, schema: SourceSchema
) -> tuple[ReplicaCopy, OpenSnapshot | None]:
    """The copy that an earlier fill has begun, or a new one, and the snapshot to fill it from."""
    copy = find_unpublished_copy(directory, schema)
    snapshot = None
    if copy is None or (not copy.is_filled and is_from_snapshot(directory, copy)):
        snapshot = patiently(partial(open_snapshot, directory, source, schema))
    if copy is not None and snapshot is not None and copy.seq != snapshot.seq:
        # There is a newer snapshot than the one that the copy was begun from.
        copy.close()
        copy.path.unlink()
        copy = None
    if copy is None:
        if snapshot is not None:
            schema = dataclasses.replace(schema, seq=snapshot.seq, anchor=snapshot.anchor)
        copy = create_copy(directory, schema)
    return copy, snapshot
