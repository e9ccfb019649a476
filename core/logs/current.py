"""Which request the code works for. Its lines, and those of every library that it calls, carry the request's id."""

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from django.http import HttpRequest

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class Current:
    """A request: its id, and the id of the user once their token or session is known to be good."""

    request_id: str
    request: HttpRequest | None = field(default=None, repr=False)
    user_id: int | None = None


CURRENT: ContextVar[Current | None] = ContextVar("gallery_request", default=None)


def user_is(user_id: int | None) -> None:
    """Note whose request this is."""
    if (current := CURRENT.get()) is not None:
        current.user_id = user_id


def in_request(function: Callable[P, T]) -> Callable[P, T]:
    """Return a function that another thread can call for the request that this thread works for."""
    current = CURRENT.get()

    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        token = CURRENT.set(current)
        try:
            return function(*args, **kwargs)
        finally:
            CURRENT.reset(token)

    return call


class Pieces(Iterator[bytes]):
    """The parts of a streaming response, each made for its request: the server asks for them after the middleware.

    `on_begin` is called once: when the first part is there, or none comes. It is not if making that part fails, because
    then the server answers by itself.
    """

    def __init__(self, content: Iterator[bytes], current: Current, on_begin: Callable[[], None]) -> None:
        self._content, self._current = content, current
        self._on_begin: Callable[[], None] | None = on_begin

    def __next__(self) -> bytes:
        token = CURRENT.set(self._current)
        try:
            piece = next(self._content, None)
            self._begin()
        except BaseException:
            self._on_begin = None
            raise
        finally:
            CURRENT.reset(token)
        if piece is None:
            raise StopIteration
        return piece

    def close(self) -> None:
        """Begin a response of which nobody asked for a part."""
        token = CURRENT.set(self._current)
        try:
            self._begin()
        finally:
            CURRENT.reset(token)

    def _begin(self) -> None:
        begin, self._on_begin = self._on_begin, None
        if begin is not None:
            begin()
