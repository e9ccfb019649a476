"""Sends reads outside transactions to the replica, everything else to its source."""

from typing import Any

from django.db import connections

from d1backend.replica.host import Host
from d1backend.replica.registry import forced, hosts


class ReplicaRouter:
    """For DATABASE_ROUTERS."""

    def __init__(self) -> None:
        self._hosts = hosts()
        self._copied: dict[str, Host] = {
            t: h for h in self._hosts for t in (*h.options.tables, *h.options.search)
        }
        self._sources = {h.options.alias: h.options.source for h in self._hosts}

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        table = model._meta.db_table
        host = self._copied.get(table)
        if host is None:
            return self._source_of(hints)
        if table in host.options.unrouted:
            return host.options.source
        source = connections[host.options.source]
        if forced.get() or source.in_atomic_block or not (source.connection is None or source.autocommit):
            return host.options.source
        return host.options.alias if host.can_read_model(model) else host.options.source

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        host = self._copied.get(model._meta.db_table)
        return self._source_of(hints) if host is None else host.options.source

    def _source_of(self, hints: dict[str, Any]) -> str | None:
        """What an object read from the replica leads to, where that has no copy, is at the source."""
        instance = hints.get("instance")
        return None if instance is None else self._sources.get(instance._state.db)

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool | None:
        names = {self._sources.get(o._state.db, o._state.db) for o in (one, other)}
        touches = {one._state.db, other._state.db} & set(self._sources)
        return len(names) == 1 if touches else None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if db in self._sources else None
