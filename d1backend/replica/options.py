"""The settings of a replica: a DATABASES entry with ENGINE "d1backend.replica"."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from d1backend.options import REPLICA_ENGINE

ENGINE = REPLICA_ENGINE
_KEYS = {"source", "tables", "search", "hide", "unrouted", "quiet", "max_age"}
# Another number makes every host fill anew: the form of the file has changed.
_FORMAT = 3


@dataclass(frozen=True)
class Options:
    """What is copied from where to where.

    `tables` are copied whole but for the columns of `hide`; `search` are FTS5 tables over them, built locally.
    Reads of `unrouted` tables go to the source unless they name the replica. Changes of `quiet` columns alone are
    copied and leave version() as it is. `max_age` is in seconds.
    """

    alias: str
    directory: Path
    source: str
    tables: tuple[str, ...]
    search: tuple[str, ...]
    hide: Mapping[str, tuple[str, ...]]
    unrouted: frozenset[str]
    quiet: Mapping[str, tuple[str, ...]]
    max_age: float

    @property
    def signature(self) -> str:
        """Names the content of the file: a file of another content is not used."""
        hidden = {table: sorted(columns) for table, columns in sorted(self.hide.items())}
        what = [_FORMAT, sorted(self.tables), sorted(self.search), hidden]
        return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:16]


def options_of(alias: str, entry: Mapping[str, Any]) -> Options:
    """The options of a DATABASES entry.

    Raises ImproperlyConfigured naming the key that is missing, unknown or at odds with another.
    """
    given, where = dict(entry.get("OPTIONS") or {}), f"DATABASES[{alias!r}]"
    if not entry.get("NAME"):
        raise ImproperlyConfigured(f"{where} needs 'NAME', the directory of the replica's files.")
    if unknown := sorted(set(given) - _KEYS):
        raise ImproperlyConfigured(f"{where}['OPTIONS'] has unknown keys: {', '.join(unknown)}.")
    if not given.get("tables"):
        raise ImproperlyConfigured(f"{where}['OPTIONS'] needs 'tables', the tables to copy.")
    tables, unrouted = tuple(given["tables"]), frozenset(given.get("unrouted", ()))
    for key in ("hide", "quiet", "unrouted"):
        if stray := sorted(set(given.get(key, ())) - set(tables)):
            raise ImproperlyConfigured(f"{where}: {key!r} names {', '.join(stray)}, not among 'tables'.")
    if routed := sorted(set(given.get("hide", ())) - unrouted):
        raise ImproperlyConfigured(
            f"{where}: {', '.join(routed)} has hidden columns, which plain queries would ask for; "
            "name it in 'unrouted' too."
        )
    if not (max_age := float(given.get("max_age", 2.0))) > 0:
        raise ImproperlyConfigured(f"{where}: 'max_age' must be more than 0 seconds, not {max_age:g}.")
    return Options(
        alias=alias,
        directory=Path(entry["NAME"]),
        source=given.get("source", "default"),
        tables=tables,
        search=tuple(given.get("search", ())),
        hide={table: tuple(columns) for table, columns in given.get("hide", {}).items()},
        unrouted=unrouted,
        quiet={table: tuple(columns) for table, columns in given.get("quiet", {}).items()},
        max_age=max_age,
    )


def replica_aliases() -> list[str]:
    """The aliases of all replicas in the settings."""
    return [alias for alias, entry in connections.settings.items() if entry.get("ENGINE") == ENGINE]
