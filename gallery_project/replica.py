"""This host's copy of D1, where there is one: what reads choose between, and how it is."""

import time
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection

from d1backend import replica
from gallery_project.environment import REPLICA

CLOCKS = 5.0  # seconds that the clocks of two hosts may differ by


def is_used() -> bool:
    return REPLICA in settings.DATABASES


def alias_for(*tables: str) -> str:
    """The database to read these tables from, for those whose plain reads leave the copy alone (users)."""
    if not is_used() or connection.in_atomic_block:
        return DEFAULT_DB_ALIAS
    return replica.alias_for(REPLICA, *tables)


def may_lack(moment: float) -> bool:
    """Whether what another host wrote at that moment (seconds, time.time()) may not have come here yet."""
    if not is_used():
        return False
    age = replica.status(REPLICA)["age"]
    return age is not None and time.time() - age < moment + CLOCKS


def status() -> dict[str, Any]:
    """d1backend.replica.status(), with `late`: whether the copy is older than it may be, though it was wanted now."""
    replica.alias_for(REPLICA)  # as a read does, it brings the copy forward
    found = replica.status(REPLICA)
    late = found["age"] is None or found["age"] > settings.DATABASES[REPLICA]["OPTIONS"]["max_age"]
    return {**found, "late": late}
