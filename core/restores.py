"""The marker of a database that a restore has not finished: nothing serves it.

`manage.py restore` makes the table first and drops it last (operations/backups). A server looks for it until it has
found a migrated database without it, mostly once: that one never gets it, because a restore refuses what is not empty.
"""

import mmap

from django.db import DatabaseError, connection

from core import replica

MARKER = "unfinished_restore"
FIND = (
    f"SELECT (SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = '{MARKER}'), "  # noqa: S608
    "(SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'app_settings')"
)
SENTENCE = (
    "A restore into this database has not finished. Wait for it; "
    "if it was stopped, restore into another new database."
)
# Whether the database was found without a marker: a byte that a server shares with all workers it forks.
_is_whole = mmap.mmap(-1, 1)
_is_server = False


def fault() -> str | None:
    """Return a sentence if the database must not be served; one question, until it was found to be whole once.

    A database that does not answer is not known to be unfinished.
    """
    if _is_whole[0] or connection.vendor != "sqlite":
        return None
    try:
        with connection.cursor() as cursor:
            cursor.execute(FIND)
            marked, is_migrated = cursor.fetchone()
    except DatabaseError:
        return None
    finally:
        if not connection.in_atomic_block:
            connection.close()
    if not marked and is_migrated:
        _is_whole[0] = 1
    return SENTENCE if marked else None


def fault_at_start() -> str | None:
    """The same for a server that starts, which asks from now on by must_wait().

    A host that has a copy of this database was served from it before.
    """
    global _is_server
    _is_server = True
    return None if _has_copy() else fault()


def must_wait() -> bool:
    """Return whether a server must not answer by the database yet: a restore fills it.

    For one that started on a database without any tables: it asks with each request until these are there.
    """
    return _is_server and not _is_whole[0] and not _has_copy() and fault() is not None


def _has_copy() -> bool:
    """Return whether this host has a copy of the database, which no host begins before the end of a restore."""
    if replica.is_used() and replica.is_ready():
        _is_whole[0] = 1
        return True
    return False
