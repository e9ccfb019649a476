"""The tail of a writing batch: questions that are answered in the same round trip, right after its changes.

The replica registers its tail here (replica/base.py), so that nothing of this backend imports the replica.
"""

from collections.abc import Callable, Sequence

from d1backend.errors import DataError, MissingError
from d1backend.protocol.api import Result, Statement


class Tail:
    """The questions for one writing batch; this one has none.

    They only read, so a batch does the same with and without them.
    """

    statements: Sequence[Statement] = ()

    def receive_answers(self, answers: list[Result]) -> None:
        """The batch was applied; `answers` are those to `statements`."""

    def answers_lost(self) -> None:
        """The batch was applied, or may have been, and there are no answers."""


# Makes the tail of the next batch, from the alias of its database and whether it changes the schema.
TailFactory = Callable[[str, bool], Tail | None]
_factories: list[TailFactory] = []


def register(factory: TailFactory) -> None:
    """Ask for a tail before each writing batch; the first factory that returns one is heard."""
    if factory not in _factories:
        _factories.append(factory)


def tail_for(alias: str, changes_schema: bool) -> Tail:
    """The tail of the next writing batch to a database; `changes_schema` says that it changes the schema."""
    tails = (factory(alias, changes_schema) for factory in _factories)
    return next((tail for tail in tails if tail is not None), Tail())


def no_tail(changes_schema: bool) -> Tail:
    """The tail of a connection that has no alias."""
    return Tail()


def may_be_at_fault(tail: Tail, error: Exception) -> bool:
    """Whether a batch may have failed because of its tail: what it reads is no longer there, or too long."""
    return bool(tail.statements) and isinstance(error, MissingError | DataError)
