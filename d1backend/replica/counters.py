"""Counters: columns that change often and for many rows at once, which no trigger logs.

Who writes them adds one entry to the log for all rows. The next sync of each host fetches the counters of these rows.
"""

import json
from collections.abc import Collection

from django.db import connections

from d1backend.replica.change_log import LOG
from d1backend.replica.registry import host_of_source

# With more keys an entry, and what a sync fetches for it, could exceed the 2 MB of a value on D1.
_MOST_KEYS = 5000


def note_counts(using: str, table: str, keys: Collection[int]) -> None:
    """Let every copy fetch the counters of these rows; call it in the transaction that changes them.

    It does nothing for a database that has no replica in the settings.
    """
    if host_of_source(using) is None:
        return
    listed = sorted(keys)
    with connections[using].cursor() as cursor:
        for start in range(0, len(listed), _MOST_KEYS):
            cursor.execute(
                f"INSERT INTO {LOG} (tbl, key) VALUES (%s, %s)",
                [table, json.dumps(listed[start : start + _MOST_KEYS], separators=(",", ":"))],
            )
