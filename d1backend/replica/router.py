"""Routes reads outside transactions to the replica, and everything else to its source."""

from typing import Any

from django.db import connections
from django.db.models import Model

from d1backend.replica.host import Host
from d1backend.replica.options import ReplicaOptions
from d1backend.replica.position import alias_to_read, alias_to_save
from d1backend.replica.registry import all_hosts, read_position, reads_on_primary


class ReplicaRouter:
    """For DATABASE_ROUTERS."""

    def __init__(self) -> None:
        hosts = all_hosts()
        self._hosts: dict[str, Host] = {t: h for h in hosts for t in (*h.options.tables, *h.options.search)}
        self._sources: dict[str | None, str] = {h.options.alias: h.options.source for h in hosts}

    def db_for_read(
        self, model: type[Model], instance: Model | None = None, values_only: bool = False, **hints: Model
    ) -> str | None:
        """The alias to read a model from; the hint `values_only` says that no object comes of it, to be saved later."""
        table = model._meta.db_table
        host = self._hosts.get(table)
        if host is None or _is_elsewhere(host, instance):
            return self._source_of(instance)
        options = host.options
        alias, position = options.source, None
        if (
            table not in options.unrouted
            and not self._reads_at_source(options)
            and host.can_read_model(model)
        ):
            if values_only:
                return options.alias
            alias, position = options.alias, read_position(options.alias)
        return alias_to_read(alias, position, model, instance, options.alias)

    @staticmethod
    def _reads_at_source(options: ReplicaOptions) -> bool:
        source = connections[options.source]
        in_transaction = source.in_atomic_block or not (source.connection is None or source.autocommit)
        return reads_on_primary.get() or in_transaction

    def db_for_write(self, model: type[Model], instance: Model | None = None, **hints: Model) -> str | None:
        host = self._hosts.get(model._meta.db_table)
        if host is None or _is_elsewhere(host, instance):
            return self._source_of(instance)
        return alias_to_save(host.options.source, model, instance, host.options.alias)

    def _source_of(self, instance: Model | None) -> str | None:
        """The source, for a table that is not copied and is reached from an instance that was read from the copy."""
        return None if instance is None else self._sources.get(instance._state.db)

    def allow_relation(self, one: Model, other: Model, **hints: Model) -> bool | None:
        databases = {one._state.db, other._state.db}
        if not databases & set(self._sources):
            return None
        return len({self._sources.get(database, database) for database in databases}) == 1

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if db in self._sources else None


def _is_elsewhere(host: Host, instance: Model | None) -> bool:
    """Whether an object is of a third database, such as one that a backup is restored into: it stays there."""
    database = None if instance is None else instance._state.db
    return database is not None and database not in (host.options.source, host.options.alias)
