"""The replicas of this process."""

import gc
import os
import threading
from contextvars import ContextVar
from typing import Protocol, cast

from django.db import connections

from d1backend.replica.host import Host
from d1backend.replica.options import ENGINE, options_of, replica_aliases

forced: ContextVar[bool] = ContextVar("d1backend.replica.forced", default=False)
_hosts: dict[str, Host] = {}
_sources: dict[str, Host | None] = {}
_lock = threading.Lock()


class _Replica(Protocol):
    """What of replica.base.DatabaseWrapper is called here; base imports this module."""

    def leave(self) -> None: ...


def host_of(alias: str) -> Host:
    """The replica of that alias.

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
        return _sources[source]
    except KeyError:
        hosts = [host_of(alias) for alias in replica_aliases()]
        _sources[source] = next((host for host in hosts if host.options.source == source), None)
        return _sources[source]


def hosts() -> list[Host]:
    """All replicas in the settings."""
    return [host_of(alias) for alias in replica_aliases()]


def forget() -> None:
    """Read the settings anew, for tests that change them."""
    _hosts.clear()
    _sources.clear()


def _before_fork() -> None:
    """An open file of SQLite's must not be carried into another process: its locks would not hold there.

    Only cursors that this thread is reading and connections of other threads are left.
    """
    for connection in connections.all(initialized_only=True):
        if connection.settings_dict["ENGINE"] == ENGINE:
            cast(_Replica, connection).leave()
    closed = [host.suspend() for host in _hosts.values()]
    if any(closed):
        # Connections of Python's sqlite3 hold themselves until they are collected.
        gc.collect()


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()
    for host in _hosts.values():
        host.folder.forget_locks()
        host.reset()


os.register_at_fork(before=_before_fork, after_in_child=_after_fork)
