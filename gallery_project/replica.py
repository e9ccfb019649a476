"""This host's copy of D1, where there is one: what reads choose between."""

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection

from d1backend import replica

REPLICA = "replica"


def is_used() -> bool:
    return REPLICA in settings.DATABASES


def alias_for(*tables: str) -> str:
    """The database to read these tables from, for those whose plain reads leave the copy alone (users)."""
    if not is_used() or connection.in_atomic_block:
        return DEFAULT_DB_ALIAS
    return replica.alias_for(REPLICA, *tables)
