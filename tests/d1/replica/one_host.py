"""A host of a test: its aliases, the tables of its database, and whether its copy equals D1."""

import itertools
import json
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connections

from d1backend.protocol import encoding
from d1backend.replica import registry
from d1backend.replica.host import Host
from d1backend.replica.source import Source
from tests.d1.replica.models import MODELS, OPTIONS, SEARCH

Ask = Callable[..., list[list[Any]]]


@dataclass
class OneHost:
    """A host: the aliases of its source and its replica."""

    source: str
    replica: str

    @property
    def host(self) -> Host:
        return registry.host_of(self.replica)

    @property
    def connection(self) -> Any:
        return connections[self.source]

    def sync(self) -> None:
        """Sync the copy now; raises what the sync raises."""
        with closing(Source(self.host.options, patient=True)) as source:
            self.host.sync_now(source)


def add_host(
    name: str, folder: Path, database: str, source_options: Mapping[str, Any], **options: Any
) -> OneHost:
    """Add the aliases of a host, whose copy is in `folder`; those of an earlier one of that name are replaced."""
    host = OneHost(f"d1_{name}", f"replica_{name}")
    entries = {
        "default": {"ENGINE": "d1backend"},
        host.source: {"ENGINE": "d1backend", "NAME": database, "OPTIONS": dict(source_options)},
        host.replica: {
            "ENGINE": "d1backend.replica",
            "NAME": str(folder / name),
            "OPTIONS": {**OPTIONS, "source": host.source, "max_age": 600.0, **options},
        },
    }
    remove_host(host)
    configured = connections.configure_settings(entries)
    for alias in (host.source, host.replica):
        connections.settings[alias] = configured[alias]
    return host


def remove_host(host: OneHost) -> None:
    """Forget the aliases of a host, if there are any, and close its copy."""
    for alias in (host.source, host.replica):
        if alias in connections.settings:
            connections[alias].close()
            del connections[alias], connections.settings[alias]
    registry.clear()


def create_tables(connection: Any) -> None:
    """The tables of models.py."""
    with connection.schema_editor() as editor:
        for model in MODELS:
            editor.create_model(model)
        for sql in SEARCH:
            editor.execute(sql)


def rows_of_d1(d1: Ask, table: str) -> list[Any]:
    columns = [name for (name,) in d1(f"SELECT name FROM pragma_table_xinfo('{table}') ORDER BY cid")]
    shown = [f'"{c}"' for c in columns if c != "password_hash"]
    rows = d1(f"SELECT {encoding.row_of(shown)} FROM {table} ORDER BY id")
    return [encoding.row(json.loads(text)) for (text,) in rows]


def compare(d1: Ask, host: OneHost) -> None:
    """The copy has the same rows and values as D1, its search works, and its files contain no secret."""
    opened = host.host.directory.open_current()
    assert opened is not None, "there is no copy"
    copy = opened.copy
    for table, shape in copy.tables.items():
        columns = ", ".join(f'"{c}"' for c in shape.columns)
        with copy._lock:
            mine = copy._db.execute(f"SELECT {columns} FROM {table} ORDER BY id").fetchall()
        pairs = itertools.zip_longest(mine, rows_of_d1(d1, table), fillvalue=())
        unlike = [(a, b) for a, b in pairs if [*map(typed, a)] != [*map(typed, b)]]
        assert not unlike, f"{len(unlike)} rows of {table}, first {unlike[0]}"
    with copy._lock:
        copy._db.execute("INSERT INTO designs_search (designs_search, rank) VALUES ('integrity-check', 1)")
        assert copy._db.execute("PRAGMA integrity_check").fetchall() == [("ok",)], "the file is damaged"
    for file in host.host.directory.path.iterdir():
        assert b"bcrypt$secret" not in file.read_bytes(), f"{file.name} contains a secret"


def typed(value: Any) -> tuple[type, Any]:
    """A value with its type: 2 and 2.0 differ here."""
    return type(value), value
