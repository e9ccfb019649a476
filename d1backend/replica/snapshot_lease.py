"""The row on D1 that names the newest snapshot of the copy, and the lease of the host that writes the next.

All times are D1's, so hosts need not agree on the time. A lease ends by itself when its holder is killed.

A process that migrates the database takes the lease before it begins, from whoever holds it. While it has it, hosts
whose copy does not fit the new schema read on from it: when the migration has ended, a snapshot is there for them.
"""

import uuid
from dataclasses import dataclass

from d1backend.errors import MissingError
from d1backend.protocol.api import Statement
from d1backend.replica.change_log import CREATE_SNAPSHOTS, SEQ, SNAPSHOT_AFTER, SNAPSHOTS, STATE, nonce_of
from d1backend.replica.directory import Snapshot
from d1backend.replica.frozen_copy import FrozenCopy
from d1backend.replica.source import Source
from d1backend.replica.tables import Rows
from d1backend.sql.values import literal

# Seconds between two snapshots, if changes do not ask for one earlier.
EVERY = 24 * 3600
# Seconds that a host has for writing one.
_LEASE = 900
# Seconds that a migration, or a page of the fill after it, may take.
_MIGRATION_LEASE = 300
# Seconds between two looks of a host that waits for a migration.
_LOOK_EVERY = 10

_NOW = "CAST(unixepoch() AS INTEGER)"
_DUE = (
    f"(name IS NULL OR epoch IS NOT (SELECT epoch FROM {STATE}) OR taken <= {_NOW} - {EVERY} "
    f"OR {SEQ} - seq >= {SNAPSHOT_AFTER})"
)
_SELECT = (
    f"SELECT name, epoch, seq, digest, previous, taken, {_NOW} - taken, holder, max(0, lease - {_NOW}), "
    f"(SELECT floor FROM {STATE}), (SELECT epoch FROM {STATE}), {nonce_of(f'{SNAPSHOTS}.seq')} FROM {SNAPSHOTS}"
)
_MIGRATES = "migrate-"


class MigrationAwaited(Exception):
    """Another host migrates the database, and writes a snapshot for the others; `seconds` until the next look."""

    def __init__(self, seconds: float) -> None:
        super().__init__("Another host migrates the database, and will write a snapshot.")
        self.seconds = seconds


@dataclass(frozen=True)
class LeaseState:
    """The newest snapshot, who holds the lease and for how many seconds more, and the floor and epoch of D1's log.

    `anchor` is the nonce of the entry of the log that the snapshot ends with.
    """

    newest: Snapshot | None
    holder: str
    seconds_left: int
    floor: int
    epoch: str | None = None
    anchor: str | None = None


def fetch_state(source: Source) -> LeaseState:
    """The state without a claim. Raises MissingError when the log was never installed."""
    (rows,) = source.query([(_SELECT, [])])
    return _parse(rows)


def claim(source: Source, holder: str, *, only_when_due: bool, refused: str | None = None) -> LeaseState:
    """Take the lease unless another holds it; the returned state says who has it.

    With `only_when_due`, nothing is taken while the newest snapshot is recent, except when it is the one named
    `refused`, which this host could not use.
    """
    due = f"({_DUE} OR name IS {literal(refused)})" if refused else _DUE
    take = (
        f"UPDATE {SNAPSHOTS} SET holder = {literal(holder)}, lease = {_NOW} + {_LEASE} "
        f"WHERE (lease <= {_NOW} OR holder = {literal(holder)}){f' AND {due}' if only_when_due else ''}"
    )
    statements: list[Statement] = [(sql, []) for sql in (*CREATE_SNAPSHOTS, take, _SELECT)]
    return _parse(source.execute(statements)[-1])


def new_migration() -> str:
    """The name of a holder that migrates."""
    return f"{_MIGRATES}{uuid.uuid4().hex}"


def claim_for_migration(source: Source, holder: str) -> LeaseState:
    """Take the lease, or keep it, unless another process migrates. Raises MissingError without a log."""
    take = (
        f"UPDATE {SNAPSHOTS} SET holder = {literal(holder)}, lease = {_NOW} + {_MIGRATION_LEASE} "
        f"WHERE lease <= {_NOW} OR holder = {literal(holder)} OR holder NOT GLOB '{_MIGRATES}*'"
    )
    return _parse(source.execute([(sql, []) for sql in (*CREATE_SNAPSHOTS, take, _SELECT)])[-1])


def release(source: Source, holder: str) -> None:
    """End the lease of this holder."""
    end = f"UPDATE {SNAPSHOTS} SET holder = '', lease = 0 WHERE holder = {literal(holder)}"
    source.execute([(end, [])])


def require_no_migration(source: Source, holder: str | None) -> None:
    """Raise MigrationAwaited while a process other than `holder` migrates the database; one request."""
    try:
        state = fetch_state(source)
    except MissingError:
        return
    if state.holder.startswith(_MIGRATES) and state.holder != holder and state.seconds_left > 0:
        raise MigrationAwaited(min(_LOOK_EVERY, state.seconds_left))


def publish(source: Source, holder: str, name: str, copy: FrozenCopy, digest: str) -> LeaseState:
    """Name a snapshot of the copy as the newest, and end the lease; does nothing when another host has taken it.

    Also does nothing when the epoch is no longer D1's, or D1 went back to before the copy's last change. The returned
    state says which snapshot is the newest.
    """
    update = (
        f"UPDATE {SNAPSHOTS} SET previous = name, name = {literal(name)}, epoch = {literal(copy.epoch)}, "
        f"seq = {copy.seq}, "
        f"digest = {literal(digest)}, taken = {_NOW}, holder = '', lease = 0 WHERE holder = {literal(holder)} "
        f"AND EXISTS (SELECT 1 FROM {STATE} WHERE epoch = {literal(copy.epoch)})"
        f"{f' AND {nonce_of(str(copy.seq))} IS {literal(copy.anchor)}' if copy.anchor else ''}"
    )
    return _parse(source.execute([(update, []), (_SELECT, [])])[-1])


def _parse(rows: Rows) -> LeaseState:
    if not rows:
        return LeaseState(None, "", 0, 0)
    name, epoch, seq, digest, previous, taken, age, holder, seconds_left, floor, log_epoch, anchor = rows[0]
    newest = None if name is None else Snapshot(name, epoch, seq, digest, previous, taken, age)
    return LeaseState(newest, holder, seconds_left, floor or 0, log_epoch, anchor)
