"""Conditions that hold while a SELECT finds the rows that were read for update."""

from collections.abc import Iterator

from d1backend.protocol import encoding
from d1backend.protocol.api import Statement

# A condition compares this many bytes of rows; D1 takes parameters of up to 2 MB.
_BYTES = 1_000_000


def conditions(sql: str, bound: list[str], count: int, texts: list[str]) -> Iterator[Statement]:
    """Conditions, with their parameters, that a SELECT of `count` columns finds exactly these rows as JSON texts.

    A large result is compared in parts, and each part runs the SELECT.
    """
    for first, last in _parts(texts):
        rows = last - first if last < len(texts) else -1
        part = encoding.exact_part(sql, count, first, rows)
        yield f"({part}) IS ?{len(bound) + 1}", [*bound, f"[{','.join(texts[first:last])}]"]


def _parts(texts: list[str]) -> Iterator[tuple[int, int]]:
    """The indexes between which the rows of each part are; the last part is what follows, if only that it is empty."""
    first = size = 0
    for i, text in enumerate(texts):
        length = len(text.encode())
        if i > first and size + length > _BYTES:
            yield first, i
            first, size = i, 0
        size += length
    yield first, len(texts)
