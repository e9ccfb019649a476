"""The questions of one gather() and their answers."""

from d1backend.errors import SchemaChangedError
from d1backend.transaction.session import NamedRows, Session

Key = tuple[str, tuple[str, ...]]


class ReadPending(BaseException):
    """A question of gather() waits for the others.

    This is no error: it is a BaseException so that nothing that catches errors catches it.
    """


class PendingReads:
    """The questions that wait, and the answers so far."""

    def __init__(self) -> None:
        self._waiting: dict[Key, None] = {}
        self._answers: dict[Key, NamedRows] = {}

    def answer(self, sql: str, bound: list[str]) -> NamedRows:
        """The answer to a question. Raises ReadPending, and notes the question, when there is none yet."""
        key = (sql, tuple(bound))
        if key not in self._answers:
            self._waiting[key] = None
            raise ReadPending
        return self._answers[key]

    def send(self, session: Session, *, checked: bool) -> None:
        """Send all waiting questions in one batch.

        With `checked`, a transaction has chosen by the catalog what to ask here; when the schema has changed, nothing
        is answered, and the questions are to be asked again.
        """
        asked = [(sql, list(bound)) for sql, bound in self._waiting]
        self._waiting.clear()
        try:
            results = session.read_batch(asked, checked=checked) if asked else []
        except SchemaChangedError:
            return
        for (sql, bound), result in zip(asked, results, strict=True):
            self._answers[sql, tuple(bound)] = session.decode_result(sql, bound, result)
