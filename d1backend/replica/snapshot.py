"""Snapshots of the copy: encrypted archives in a private storage, from which a new host fills its copy.

The row on D1 names the newest one and the digest of its manifest, so no other can take its place. A snapshot that
cannot be used is logged in one line, and the copy is filled from D1, from where the snapshot ended.
"""

import dataclasses
import logging
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import closing

from django.core.files.storage import storages

from d1backend.archive import ArchiveError, ArchiveReader, ArchiveWriter, KeyRing, StorageFolder, Table
from d1backend.errors import MissingError
from d1backend.replica.copy import ReplicaCopy
from d1backend.replica.directory import ReplicaDirectory, Snapshot
from d1backend.replica.fill import Progress
from d1backend.replica.frozen_copy import FrozenCopy
from d1backend.replica.options import SnapshotOptions
from d1backend.replica.snapshot_lease import EVERY, claim, fetch_state, publish
from d1backend.replica.source import Source
from d1backend.replica.tables import Row, SourceSchema, TableSchema, Value

log = logging.getLogger(__name__)


class SnapshotNotTaken(Exception):
    """Another host writes a snapshot, or none is due."""


@dataclasses.dataclass(frozen=True)
class OpenSnapshot:
    """A snapshot whose manifest was read and checked."""

    snapshot: Snapshot
    archive: ArchiveReader

    @property
    def seq(self) -> int:
        """The last change that it contains."""
        return self.snapshot.seq


def take_snapshot(
    directory: ReplicaDirectory,
    source: Source,
    *,
    only_when_due: bool = True,
    gently: bool = True,
    holder: str | None = None,
) -> Snapshot:
    """Write a snapshot of the current copy and name it on D1; two requests. Old snapshots are deleted.

    With `gently`, it pauses as long as it works, because reads of the same process go on. `holder` may hold the lease
    already.
    Raises SnapshotNotTaken when none is due or another host writes one, ArchiveError when the storage fails, and the
    errors of D1.
    """
    holder = holder or uuid.uuid4().hex
    refused = directory.snapshot_note().refused_name
    state = claim(source, holder, only_when_due=only_when_due, refused=refused)
    is_refused = state.newest is not None and state.newest.name == refused
    if state.holder != holder:
        is_written = state.seconds_left > 0
        seconds = state.seconds_left if is_written or state.newest is None else EVERY - state.newest.age
        directory.note_snapshot(state.newest, seconds, refused=is_refused)
        reason = f"another host may write one for {seconds} s more" if is_written else "none is due"
        raise SnapshotNotTaken(reason)
    # If this process ends before it is done, the next asks when the lease has ended.
    directory.note_snapshot(state.newest, state.seconds_left, refused=is_refused)
    opened = directory.open_current()
    if opened is None:
        raise ArchiveError("there is no copy")
    name = f"{int(time.time())}-{holder[-16:]}"
    folder, keys = _place_of(directory, source.database)
    # A snapshot that is not among them may be one that another host begins before these are deleted.
    older = folder.folders()
    with closing(FrozenCopy(opened.path)) as frozen:
        digest = _write(frozen, ArchiveWriter(folder.folder(name), keys), directory, gently)
    newest = publish(source, holder, name, frozen.epoch, frozen.seq, digest).newest
    if newest is None or newest.name != name:
        folder.folder(name).delete()
        raise ArchiveError("its lease ended, or D1's epoch changed, while it was written")
    directory.note_snapshot(newest, EVERY)
    try:
        _delete(folder, set(older) - {newest.previous})
    except ArchiveError as error:
        log.warning("Old snapshots of the replica %s are left: %s.", directory.options.alias, error)
    return newest


def _place_of(directory: ReplicaDirectory, database: str) -> tuple[StorageFolder, KeyRing]:
    """The folder of the snapshots of a database, and their keys."""
    options = _options_of(directory)
    folder = StorageFolder(storages[options.storage], f"snapshots/{database}")
    return folder, KeyRing(options.keys, f"snapshots of {database}")


def _options_of(directory: ReplicaDirectory) -> SnapshotOptions:
    if directory.options.snapshots is None:
        raise ArchiveError("the settings name no storage for snapshots")
    return directory.options.snapshots


def _write(frozen: FrozenCopy, writer: ArchiveWriter, directory: ReplicaDirectory, gently: bool) -> str:
    """Write all tables and the manifest; returns its digest."""
    for table in frozen.tables.values():
        pages = frozen.pages(table)
        writer.write_table(
            Table(table.name, table.columns, table.key), _with_pauses(pages) if gently else pages
        )
    return writer.finish({"epoch": frozen.epoch, "seq": frozen.seq, "signature": directory.options.signature})


def _with_pauses(pages: Iterable[list[Row]]) -> Iterator[list[Row]]:
    """Pages with a pause after each as long as the work on it took, up to a tenth of a second."""
    for page in pages:
        started = time.monotonic()
        yield page
        time.sleep(min(0.1, time.monotonic() - started))


def _delete(folder: StorageFolder, names: Iterable[str]) -> None:
    """Delete these snapshots, finished or not."""
    for name in names:
        folder.folder(name).delete()


def open_snapshot(directory: ReplicaDirectory, source: Source, schema: SourceSchema) -> OpenSnapshot | None:
    """The newest snapshot, if it can be used; one request. Logs why not."""
    if directory.options.snapshots is None:
        return None
    try:
        state = fetch_state(source)
    except MissingError:
        return None
    newest = state.newest
    if newest is None or newest.name == directory.snapshot_note().refused_name:
        return None
    try:
        if newest.epoch != schema.epoch:
            raise ArchiveError("it is of another epoch")
        if not state.floor <= newest.seq <= schema.seq:
            raise ArchiveError("the log on D1 does not continue it")
        folder, keys = _place_of(directory, source.database)
        archive = ArchiveReader.open(folder.folder(newest.name), keys, newest.digest)
        facts = {"epoch": newest.epoch, "seq": newest.seq, "signature": directory.options.signature}
        if archive.manifest.facts != facts:
            raise ArchiveError("it was made for other settings")
    except ArchiveError as error:
        _refuse(directory, newest, error)
        return None
    directory.note_snapshot(newest, EVERY - newest.age)
    return OpenSnapshot(newest, archive)


def newest_snapshot(directory: ReplicaDirectory, source: Source) -> Snapshot | None:
    """The newest snapshot, once its manifest could be read; None without one. Changes nothing; one request.

    Raises MissingError when the log was never installed, ArchiveError for a snapshot that no host can use.
    """
    newest = fetch_state(source).newest
    if newest is not None:
        folder, keys = _place_of(directory, source.database)
        ArchiveReader.open(folder.folder(newest.name), keys, newest.digest)
    return newest


def is_from_snapshot(directory: ReplicaDirectory, copy: ReplicaCopy) -> bool:
    """Whether an unfinished copy was begun from the snapshot that this host used last."""
    newest = directory.snapshot_note().newest
    return newest is not None and (newest.epoch, newest.seq) == (copy.epoch, copy.seq)


def restore(directory: ReplicaDirectory, opened: OpenSnapshot, copy: ReplicaCopy, progress: Progress) -> None:
    """Insert the rows of a snapshot that a copy of the same position still lacks.

    When it cannot be read to its end, this is logged, and the rest is left to the fill from D1.
    """
    archive = opened.archive
    try:
        tables = _tables_of(archive, copy)
        copy.set_totals({table.name: table.rows for table in archive.manifest.tables})
        _insert(archive, copy, tables, progress)
    except ArchiveError as error:
        _refuse(directory, opened.snapshot, error)
    else:
        log.info("The replica %s is filled from snapshot %s.", directory.options.alias, opened.snapshot.name)


def _tables_of(archive: ArchiveReader, copy: ReplicaCopy) -> dict[str, TableSchema]:
    """The tables of a copy with the columns that an archive has of them.

    An archive may lack columns that were added later: each row gets their default, and those with other values come
    from the log. Raises ArchiveError when it differs more.
    """
    found = {t.name: t.columns for t in archive.manifest.tables}
    tables = copy.tables
    if set(found) != set(tables) or any(set(found[name]) - set(tables[name].columns) for name in tables):
        raise ArchiveError("it has other tables or columns")
    return {name: dataclasses.replace(table, columns=tuple(found[name])) for name, table in tables.items()}


def _insert(
    archive: ArchiveReader, copy: ReplicaCopy, tables: dict[str, TableSchema], progress: Progress
) -> None:
    parts = archive.manifest.parts
    last_parts = {part.table: number for number, part in enumerate(parts)}
    missing = (number for number, part in enumerate(parts) if not _has(copy, part.table, part.last))
    start = next(missing, len(parts))
    for number, (part, rows) in enumerate(archive.parts(start), start):
        is_last = number == last_parts[part.table]
        copy.insert_page(tables[part.table], rows, is_last=is_last)
        progress(part.table, part.rows)
    for table in archive.manifest.tables:
        if not table.rows:
            copy.insert_page(tables[table.name], [], is_last=True)


def _has(copy: ReplicaCopy, table: str, key: Value) -> bool:
    """Whether the rows of a table up to a key have been inserted."""
    after, is_done = copy.fill_position(table)
    return is_done or (after is not None and isinstance(key, int) and after >= key)


def _refuse(directory: ReplicaDirectory, snapshot: Snapshot, error: ArchiveError) -> None:
    """Log why a snapshot is not used, and do not try it again: this host writes another after its fill."""
    directory.note_snapshot(snapshot, 0.0, refused=True)
    log.warning(
        "Snapshot %s of the replica %s is not used: %s.", snapshot.name, directory.options.alias, error
    )
