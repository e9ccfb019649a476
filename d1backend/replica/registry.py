"""The replicas of this process, and what happens to them when it forks."""

import gc
import os
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Protocol, runtime_checkable

from django.db import connections

from d1backend.replica.host import Host
from d1backend.replica.options import options_of, replica_aliases
from d1backend.replica.position import CopyPosition

reads_on_primary: ContextVar[bool] = ContextVar("d1backend.replica.reads_on_primary", default=False)
_hosts: dict[str, Host] = {}
_hosts_by_source: dict[str, Host | None] = {}
_lock = threading.Lock()


@runtime_checkable
class ReadsFile(Protocol):
    """A connection to a copy (base.DatabaseWrapper)."""

    def release_file(self) -> None: ...


def host_of(alias: str) -> Host:
    """The replica with that alias.

    Raises ImproperlyConfigured when its settings are wrong, KeyError when there is no such alias.
    """
    host = _hosts.get(alias)
    if host is None:
        with _lock:
            host = _hosts.get(alias) or Host(options_of(alias, connections.settings[alias]))
            _hosts[alias] = host
    return host


def host_of_source(source: str) -> Host | None:
    """The replica of a source, if it has one."""
    try:
        return _hosts_by_source[source]
    except KeyError:
        found = (host for host in all_hosts() if host.options.source == source)
        return _hosts_by_source.setdefault(source, next(found, None))


def all_hosts() -> list[Host]:
    """All replicas in the settings."""
    return [host_of(alias) for alias in replica_aliases()]


def read_position(alias: str) -> CopyPosition | None:
    """The state of the copy that this thread reads next; None when it is not known."""
    # Python 3.11 compares a connection with a Protocol so slowly that each request would feel it.
    read: Callable[[], CopyPosition] | None = getattr(connections[alias], "read_position", None)
    return None if read is None else read()


def clear() -> None:
    """Forget the replicas, so the settings are read again; for tests that change them."""
    _hosts.clear()
    _hosts_by_source.clear()


def _before_fork() -> None:
    """Close the files: SQLite's locks do not hold in a child that inherits an open file.

    Cursors that this thread is reading, and connections of other threads, stay open.
    """
    for connection in connections.all(initialized_only=True):
        if isinstance(connection, ReadsFile):
            connection.release_file()
    closed = [host.directory.close_copy() for host in _hosts.values()]
    if any(closed):
        # Python's sqlite3 connections are in reference cycles, so only the collector closes them.
        gc.collect()


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()
    for host in _hosts.values():
        host.directory.close_inherited_locks()
        host.reset()


os.register_at_fork(before=_before_fork, after_in_child=_after_fork)
