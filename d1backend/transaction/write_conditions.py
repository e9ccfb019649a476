"""Conditions on whatever a piece of work writes: D1 checks them in the batch of each write, which fails otherwise.

They suit what was decided before the write and must still be true at its commit: that the caller is still signed in.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import DEFAULT_DB_ALIAS

from d1backend.errors import UNMET
from d1backend.protocol.api import Statement
from d1backend.protocol.parameters import bind
from d1backend.sql.values import Parameter
from d1backend.transaction.script import check

# By the alias of a database; None outside conditional_writes().
_conditions: ContextVar[dict[str, list[Statement]] | None] = ContextVar("d1_write_conditions", default=None)


@contextmanager
def conditional_writes() -> Iterator[None]:
    """What is written in this block, by this thread, meets the conditions that write_only_if() adds in it."""
    token = _conditions.set({})
    try:
        yield
    finally:
        _conditions.reset(token)


def write_only_if(
    question: str, params: Sequence[Parameter], what: str, *, using: str = DEFAULT_DB_ALIAS
) -> None:
    """Write only where this SELECT finds a row, until the end of the conditional_writes() around this.

    Costs no round trip: the SELECT travels at the beginning of each writing batch, and is asked before anything is
    written. Where it finds nothing, nothing is written and the commit, or the statement outside a transaction, raises
    ConditionFailed, whose message names `what`. Other engines ignore it. Raises LookupError outside
    conditional_writes().
    """
    conditions = _conditions.get()
    if conditions is None:
        raise LookupError("write_only_if() needs a conditional_writes() around it.")
    conditions.setdefault(using, []).append(bind(check(f"EXISTS ({question})", what, UNMET), params))


def conditions_of(alias: str) -> list[Statement]:
    """The statements that fail a batch to this database unless the conditions hold."""
    return (_conditions.get() or {}).get(alias, [])
