"""The marker of a database that a restore has not finished: nothing serves it.

`manage.py restore` makes the table first and drops it last (operations/backups). A server looks for it once: a database
without it never gets one, because a restore refuses what is not empty.
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
    """The same for a server that starts: a host that has a copy of this database was served from it before."""
    if replica.is_used() and replica.readiness().ready:
        _is_whole[0] = 1
        return None
    return fault()
