"""What a writing batch may bring along at its end: questions of someone else, answered in the same trip."""

from collections.abc import Sequence
from typing import Any

from d1backend.errors import DataError, MissingError
from d1backend.protocol.api import Statement


class Tail:
    """The questions for one writing batch; this one has none.

    They only read, so that leaving them out changes nothing of what the batch does.
    """

    statements: Sequence[Statement] = ()

    def came(self, answers: list[dict[str, Any]]) -> None:
        """The batch was applied; `answers` are those to `statements`, seen right after its own changes."""

    def lost(self) -> None:
        """The batch was applied, or may have been, and the answers did not come."""


def no_tail(schema: bool) -> Tail:
    """What a batch brings along where nobody asks."""
    return Tail()


def is_fault_of(tail: Tail, error: Exception) -> bool:
    """Whether a batch may have failed because of its tail: what it reads is no longer there, or too long."""
    return bool(tail.statements) and isinstance(error, MissingError | DataError)
