"""Calls that a thread makes ahead of their use, and that are given up when one hangs."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from d1backend.archive.format import ArchiveError

# A call that has not returned after this time (seconds) hangs.
LONGEST_WAIT = 20.0
# Results that may wait for their use.
_AHEAD = 2

T = TypeVar("T")


@dataclass(frozen=True)
class _Result(Generic[T]):
    """What a call returned, or the error that it raised."""

    value: list[T]
    error: Exception | None = None


class _Ahead(Generic[T]):
    """The thread, and the results that it has ready."""

    def __init__(self, calls: Iterable[Callable[[], T]]) -> None:
        self._calls = calls
        self._ready: queue.Queue[_Result[T]] = queue.Queue(_AHEAD)
        self.given_up = threading.Event()
        threading.Thread(target=self._run, name="d1-archive", daemon=True).start()

    def _run(self) -> None:
        for call in self._calls:
            try:
                self._put(_Result([call()]))
            except Exception as error:  # noqa: BLE001 - raised where the result is used
                self._put(_Result([], error))
            if self.given_up.is_set():
                return

    def _put(self, result: _Result[T]) -> None:
        while not self.given_up.is_set():
            try:
                self._ready.put(result, timeout=1.0)
            except queue.Full:
                continue
            return

    def next(self) -> T:
        try:
            result = self._ready.get(timeout=LONGEST_WAIT)
        except queue.Empty:
            raise ArchiveError(f"the storage did not answer within {LONGEST_WAIT:g} s") from None
        if result.error is not None:
            raise result.error
        (value,) = result.value
        return value


def called_ahead(calls: Sequence[Callable[[], T]]) -> Iterator[T]:
    """The results of calls in their order.

    Raises ArchiveError when one hangs, and what they raise.
    """
    ahead = _Ahead(calls)
    try:
        for _ in calls:
            yield ahead.next()
    finally:
        ahead.given_up.set()
