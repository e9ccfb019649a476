"""Questions that wait for a batch that they travel in, and their answers: those of a gather(), or of a commit."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import TypeVar

from django.db import utils

from d1backend import errors
from d1backend.errors import AlreadyAppliedError, OutcomeUnknown, SchemaChangedError
from d1backend.protocol.api import Result, Statement
from d1backend.protocol.budget import after_write
from d1backend.transaction.session import NamedRows, Session

T = TypeVar("T")
Key = tuple[str, tuple[str, ...]]


def lost_result(cause: Exception) -> OutcomeUnknown:
    """Return the error for a write that was applied, where what it leaves cannot be asked for."""
    error = OutcomeUnknown.of_lost_result("The write was applied, but what it leaves cannot be asked for.")
    error.__cause__ = cause
    return error


class ReadPending(BaseException):
    """A question waits for the batch that it travels in.

    This is no error: it is a BaseException so that nothing that catches errors catches it.
    """

    def __init__(self, key: Key) -> None:
        super().__init__()
        self.key = key


class PendingReads:
    """The questions that wait, and the answers so far.

    `for_commit`: they are about what the transaction leaves, so they wait for its commit.
    """

    def __init__(self, *, for_commit: bool = False) -> None:
        self.for_commit = for_commit
        self._waiting: dict[Key, None] = {}
        self._answers: dict[Key, NamedRows] = {}
        self._expected: Key | None = None
        self._assumed: ReadPending | None = None
        self._failure: Exception | None = None
        # A write was applied, and what it leaves was lost with its answer.
        self.are_lost = False

    def ask(self, question: Callable[[], T], expected: Key | None) -> T:
        """The answer to a question; when it was asked before, it waited for `expected`.

        Raises ReadPending while it waits, or while something was assumed, also when that led to an error.
        """
        self._expected, self._assumed = expected, None
        try:
            answer = question()
        except Exception:
            if self._assumed is None:
                raise
        if self._assumed is not None:
            raise self._assumed
        return answer

    def assume(self, waiting: ReadPending) -> None:
        """The question that is asked goes on without what it waits for, to show what it asks next."""
        self._assumed = waiting

    def answer(self, session: Session, sql: str, bound: list[str], *, checked: bool = False) -> NamedRows:
        """The answer to a query. Raises ReadPending, and notes the query, when there is none yet.

        A question that no longer asks what it waited for depends on the time, or on chance, and would never end: its
        queries are sent at once.
        """
        key = (sql, tuple(bound))
        if key == self._expected:
            self._expected = None
        if key not in self._answers:
            if self._failure is not None:
                raise self._failure
            if self._expected is not None:
                result = session.read_batch([(sql, bound)], checked=checked)[0]
                return session.decode_result(sql, bound, result)
            self._waiting[key] = None
            raise ReadPending(key)
        return self._answers[key]

    def send(self, session: Session, *, checked: bool) -> None:
        """Send all waiting questions in one batch.

        With `checked`, a transaction has chosen by the catalog what to ask here; when the schema has changed, nothing
        is answered, and the questions are to be asked again. Any other error is raised where they are asked again.
        After a write whose answer was lost it is OutcomeUnknown, because the write was applied.
        """
        asked = self.taken()
        try:
            with after_write() if self.are_lost else nullcontext():
                results = session.read_batch(asked, checked=checked) if asked else []
        except SchemaChangedError:
            return
        except (errors.Error, utils.Error) as error:
            self._failure = lost_result(error) if self.are_lost else error
            return
        self.keep(session, asked, results)

    def send_after(self, write: Statement, session: Session) -> None:
        """Send a statement that writes, and after it all waiting questions, in one batch."""
        asked = self.taken()
        answers = session.write_batch([write, *asked])
        self.keep_after(session, asked, answers, 1)

    def taken(self) -> list[Statement]:
        """The questions that waited, which the caller sends."""
        asked = [(sql, list(bound)) for sql, bound in self._waiting]
        self._waiting.clear()
        return asked

    def keep_after(
        self,
        session: Session,
        asked: list[Statement],
        answers: list[Result] | AlreadyAppliedError,
        place: int,
    ) -> None:
        """Keep the results of questions that were taken and sent after a write, from `place` on, if it has answers."""
        if isinstance(answers, AlreadyAppliedError):
            self.are_lost = True
        else:
            self.keep(session, asked, answers[place : place + len(asked)])

    def keep(self, session: Session, asked: list[Statement], results: list[Result]) -> None:
        """Keep the results of questions that were taken."""
        for (sql, bound), result in zip(asked, results, strict=True):
            self._answers[sql, tuple(bound)] = session.decode_result(sql, bound, result)
