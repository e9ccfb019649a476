"""Which state of the copy an object was read from, and the aliases that carry it."""

from dataclasses import dataclass

from django.db import NotSupportedError
from django.db.models import Model

from d1backend.aliases import GuardedAlias, Position, ReadAlias
from d1backend.replica.change_log import unchanged_since
from d1backend.sql.values import Value


@dataclass(frozen=True)
class CopyPosition:
    """A state of the copy: the epoch of the log, its last change, and the nonce of that change if it is known."""

    epoch: str
    seq: int
    anchor: str | None

    def unchanged(self, table: str, key: Value) -> str:
        return unchanged_since(self.epoch, self.seq, self.anchor, table, key)


class UnknownPosition:
    """The state of an object that was read with `using()` and the replica's bare alias."""

    def unchanged(self, table: str, key: Value) -> str:
        raise NotSupportedError(
            f"When this row of {table} was read from the replica is not known, so save() could undo a change of "
            "another host. Read it with using(d1backend.replica.alias_for(…)), or save(update_fields=…)."
        )


def alias_to_read(
    alias: str, position: Position | None, model: type[Model], instance: Model | None, replica: str
) -> str:
    """The alias for a read of a model; `instance` is the object that it is for, if there is one."""
    of_same_row = instance if isinstance(instance, model._meta.concrete_model or model) else None
    earlier = None if of_same_row is None else position_of(of_same_row, replica)
    if position is None and earlier is None:
        return alias
    read = ReadAlias(alias)
    read.position, read.earlier = position, earlier
    return read


def alias_to_save(alias: str, model: type[Model], instance: Model | None, replica: str) -> str:
    """The alias for a write to a model; `instance` is the object that is written, if there is one."""
    if not isinstance(instance, model._meta.concrete_model or model):
        return alias
    position = position_of(instance, replica)
    if position is None:
        return alias
    guarded = GuardedAlias(alias)
    meta = instance._meta
    guarded.position, guarded.key = position, instance.pk
    guarded.tables = frozenset(
        m._meta.db_table for m in (meta.concrete_model or model, *meta.get_parent_list())
    )
    return guarded


def position_of(instance: Model, replica: str) -> Position | None:
    """The state that an object was read from, None when it did not come from the copy or has been saved."""
    database = instance._state.db
    if isinstance(database, ReadAlias):
        return database.position
    return UnknownPosition() if database == replica else None
