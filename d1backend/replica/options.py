"""The settings of a replica: a DATABASES entry with ENGINE "d1backend.replica"."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from d1backend.options import MAX_AGE, REPLICA_ENGINE, SYNC_AT, limits_of
from d1backend.protocol.budget import shortest_sync_period

_KEYS = {
    "source",
    "tables",
    "search",
    "hide",
    "only",
    "compact",
    "no_index",
    "unrouted",
    "counters",
    "not_while",
    "max_age",
    "snapshots",
}
# Increase this when the layout of the file changes: every host then refills its copy.
_FORMAT = 8


_SNAPSHOT_KEYS = {"storage", "keys"}
# An attacker may try secrets against a copied snapshot for as long as they like.
_SHORTEST_SECRET = 32  # characters


class GivenSnapshots(TypedDict):
    """The option "snapshots"."""

    storage: str
    keys: Iterable[str]


class GivenOptions(TypedDict, total=False):
    """OPTIONS as the settings give them (docs/replica.md)."""

    source: str
    tables: Iterable[str]
    search: Iterable[str]
    hide: Mapping[str, Iterable[str]]
    only: Mapping[str, str]
    compact: Mapping[str, Iterable[str]]
    no_index: Iterable[str]
    unrouted: Iterable[str]
    counters: Mapping[str, Iterable[str]]
    not_while: str
    max_age: float
    snapshots: GivenSnapshots | None


class DatabaseEntry(TypedDict, total=False):
    """The keys of a DATABASES entry that are read here."""

    NAME: str | Path
    OPTIONS: GivenOptions | None


@dataclass(frozen=True)
class SnapshotOptions:
    """The alias of the storage of snapshots, and the secrets that encrypt them, newest first."""

    storage: str
    keys: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class ReplicaOptions:
    """What a replica copies, from which database, and into which directory.

    `tables` are copied with all their columns except those in `hide`, and of a table in `only` the rows that meet its
    SQL condition. `search` are FTS5 tables over them, which are built locally. A table in `compact` is stored in the
    order of these columns, which identify a row, and has no other index than its key. The indexes in `no_index` are
    not created, nor the prefix indexes of full-text tables in it. Reads of `unrouted` tables go to the source unless
    the query names the replica. No trigger logs a change of nothing but `counters`: their writer calls note_counts().
    While the source has the table `not_while`, it is not complete: no log is installed, so nobody copies it.
    `database` is the NAME of the source: a copy of another database, as after a restore to a new one, is not read.
    `max_age` is in seconds; it is longer than the settings say where syncs would else take more than their part of D1's
    allowance. Without `snapshots` a new host fills its copy from the source.
    """

    alias: str
    directory: Path
    source: str
    database: str
    tables: tuple[str, ...]
    search: tuple[str, ...]
    hide: Mapping[str, tuple[str, ...]]
    only: Mapping[str, str]
    compact: Mapping[str, tuple[str, ...]]
    no_index: frozenset[str]
    unrouted: frozenset[str]
    counters: Mapping[str, tuple[str, ...]]
    not_while: str
    max_age: float
    snapshots: SnapshotOptions | None

    @property
    def signature(self) -> str:
        """A hash of what the file contains. A file with another signature is not read."""
        hidden = {table: sorted(columns) for table, columns in sorted(self.hide.items())}
        layout = [sorted(self.only.items()), sorted(self.compact.items()), sorted(self.no_index)]
        counters = sorted(self.counters.items())
        content = [_FORMAT, self.database, sorted(self.tables), sorted(self.search), hidden, layout, counters]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def options_of(alias: str, entry: DatabaseEntry) -> ReplicaOptions:
    """The options of a DATABASES entry.

    Raises ImproperlyConfigured naming the key that is missing, unknown or contradicts another.
    """
    given, where = entry.get("OPTIONS") or GivenOptions(), f"DATABASES[{alias!r}]"
    if not entry.get("NAME"):
        raise ImproperlyConfigured(f"{where} needs 'NAME', the directory of the replica's files.")
    if unknown := sorted(set(given) - _KEYS):
        raise ImproperlyConfigured(f"{where}['OPTIONS'] has unknown keys: {', '.join(unknown)}.")
    if not given.get("tables"):
        raise ImproperlyConfigured(f"{where}['OPTIONS'] needs 'tables', the tables to copy.")
    tables, unrouted = tuple(given["tables"]), frozenset(given.get("unrouted", ()))
    hide, counters = given.get("hide", {}), given.get("counters", {})
    only, compact = given.get("only", {}), given.get("compact", {})
    named = {"hide": hide, "counters": counters, "only": only, "compact": compact, "unrouted": unrouted}
    for key, names in named.items():
        if stray := sorted(set(names) - set(tables)):
            raise ImproperlyConfigured(f"{where}: {key!r} names {', '.join(stray)}, not among 'tables'.")
    if routed := sorted(set(hide) - unrouted):
        raise ImproperlyConfigured(
            f"{where}: {', '.join(routed)} has hidden columns, which plain queries would ask for; "
            "name it in 'unrouted' too."
        )
    if not (max_age := float(given.get("max_age", MAX_AGE))) > 0:
        raise ImproperlyConfigured(f"{where}: 'max_age' must be more than 0 seconds, not {max_age:g}.")
    source = given.get("source", "default")
    return ReplicaOptions(
        alias=alias,
        directory=Path(entry["NAME"]),
        source=source,
        database=str(connections.settings.get(source, {}).get("NAME") or ""),
        tables=tables,
        search=tuple(given.get("search", ())),
        hide={table: tuple(columns) for table, columns in hide.items()},
        only=dict(only),
        compact={table: tuple(columns) for table, columns in compact.items()},
        no_index=frozenset(given.get("no_index", ())),
        unrouted=unrouted,
        counters={table: tuple(columns) for table, columns in counters.items()},
        not_while=given.get("not_while", ""),
        max_age=max(max_age, _least_max_age(source)),
        snapshots=_snapshot_options(where, given.get("snapshots")),
    )


def _least_max_age(source: str) -> float:
    """The seconds below which a host's syncs would take more than their part of D1's allowance; 0 without one."""
    allowance, hosts = limits_of(source, connections.settings.get(source, {}))
    return shortest_sync_period(allowance, hosts) / SYNC_AT


def _snapshot_options(where: str, given: GivenSnapshots | None) -> SnapshotOptions | None:
    if given is None:
        return None
    if wrong := sorted(set(given) ^ _SNAPSHOT_KEYS):
        raise ImproperlyConfigured(
            f"{where}: 'snapshots' has 'storage' and 'keys', and differs in {', '.join(wrong)}."
        )
    keys = tuple(given["keys"])
    if not keys or min(map(len, keys)) < _SHORTEST_SECRET:
        raise ImproperlyConfigured(
            f"{where}: 'snapshots' needs secrets of at least {_SHORTEST_SECRET} characters in 'keys'."
        )
    if given["storage"] not in settings.STORAGES:
        raise ImproperlyConfigured(
            f"{where}: 'snapshots' names the storage {given['storage']!r}, which STORAGES lacks."
        )
    return SnapshotOptions(given["storage"], keys)


def replica_aliases() -> list[str]:
    """The aliases of all replicas in the settings."""
    return [alias for alias, entry in connections.settings.items() if entry.get("ENGINE") == REPLICA_ENGINE]
