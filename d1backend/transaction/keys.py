"""Primary keys reserved ahead, so that an INSERT inside a transaction needs no round trip.

A block is taken from `sqlite_sequence` in one statement, outside any transaction, and used by this process alone. What
is left of a block after an hour is dropped, so that keys stay close to the order in which rows are made.
"""

import os
import threading
import time
from dataclasses import dataclass

from d1backend.protocol.api import Statement
from d1backend.sql.values import literal, quote_name

SMALLEST = 5
LARGEST_REFILL = 20
_LIFETIME = 3600.0


@dataclass
class _Block:
    next: int
    last: int
    until: float


_blocks: dict[tuple[str, str], _Block] = {}
_lock = threading.Lock()


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()
    _blocks.clear()


os.register_at_fork(after_in_child=_after_fork)


def reserve(table: str, column: str, count: int) -> list[Statement]:
    """Statements that reserve keys of a table; the last one returns the highest key (as text), or no row when the table
    has no AUTOINCREMENT."""
    highest = f"(SELECT coalesce(max({quote_name(column)}), 0) FROM {quote_name(table)})"
    return [
        (
            # The cross join reads the schema, as a whole, only when the table has no row yet.
            "INSERT INTO sqlite_sequence (name, seq) SELECT name, 0 FROM (SELECT 1 WHERE NOT EXISTS (SELECT 1 "
            f"FROM sqlite_sequence WHERE name = {literal(table)} COLLATE NOCASE)) CROSS JOIN sqlite_master "
            f"WHERE type = 'table' AND name = {literal(table)} COLLATE NOCASE AND sql LIKE '%AUTOINCREMENT%'",
            [],
        ),
        (
            f"UPDATE sqlite_sequence SET seq = max(seq, {highest}) + {count} "
            f"WHERE name = {literal(table)} COLLATE NOCASE RETURNING CAST(seq AS TEXT)",
            [],
        ),
    ]


def keep(database: str, table: str, highest: int, count: int) -> None:
    """Hold a block of `count` keys that ends with `highest`."""
    with _lock:
        _blocks[database, table.lower()] = _Block(highest - count + 1, highest, time.monotonic() + _LIFETIME)


def take(database: str, table: str, count: int) -> list[int] | None:
    """`count` keys in a row from the block; None when it has fewer, and the block is dropped then."""
    with _lock:
        block = _blocks.get((database, table.lower()))
        if block is None:
            return None
        if block.last - block.next + 1 < count or time.monotonic() > block.until:
            del _blocks[database, table.lower()]
            return None
        first = block.next
        block.next += count
        return list(range(first, first + count))


def left(database: str, table: str) -> int:
    """How many keys of the block are unused."""
    with _lock:
        block = _blocks.get((database, table.lower()))
        return 0 if block is None or time.monotonic() > block.until else block.last - block.next + 1


def used_elsewhere(database: str, table: str, keys: list[int]) -> None:
    """Drop the block when one of these keys, which did not come from it, lies in it."""
    with _lock:
        block = _blocks.get((database, table.lower()))
        if block and any(block.next <= key <= block.last for key in keys):
            del _blocks[database, table.lower()]


def forget(database: str, table: str | None = None) -> None:
    """Drop the block of a table, or all blocks of a database."""
    with _lock:
        for key in [k for k in _blocks if k[0] == database and table in (None, k[1])]:
            del _blocks[key]
