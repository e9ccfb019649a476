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


def pieces(content: Iterator[bytes], current: Current) -> Iterator[bytes]:
    """Make the parts of a streaming response, each for its request: the server asks for them after the middleware."""
    while True:
        token = CURRENT.set(current)
        try:
            piece = next(content)
        except StopIteration:
            return
        finally:
            CURRENT.reset(token)
        yield piece
