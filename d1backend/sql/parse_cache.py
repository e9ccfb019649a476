"""A cache of parsed statements that is limited in bytes: statements may be as long as D1 takes them, 100,000 bytes, and
`functools.lru_cache` limits their number."""

import sys
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class ByteCache(Generic[T]):
    """Keeps the results of `uncached` for the texts used last, up to `limit` bytes as `size` estimates them.

    There are two generations, each of half the limit: when the recent one is full, it becomes the older one. Threads
    need no lock, which a fork could leave closed: a race loses an entry.
    """

    def __init__(self, uncached: Callable[[str], T], size: Callable[[str, T], int], limit: int) -> None:
        self.uncached = uncached
        self._size, self._limit = size, limit // 2
        self._recent: dict[str, T] = {}
        self._older: dict[str, T] = {}
        self._total = 0

    def __call__(self, text: str) -> T:
        found = self._recent.get(text)
        if found is not None:
            return found
        found = self._older.get(text) or self.uncached(text)
        self._keep(text, found)
        return found

    def _keep(self, text: str, result: T) -> None:
        size = self._size(text, result)
        # One text must not displace all others.
        if size > self._limit // 8:
            return
        if self._total + size > self._limit:
            self._older, self._recent, self._total = self._recent, {}, 0
        self._recent[text] = result
        self._total += size


def size_of_texts(texts: Iterable[str]) -> int:
    """The memory of texts and of the slots that hold them, in bytes."""
    return sum(sys.getsizeof(text) + 32 for text in texts)
