"""The questions of one gather() and their answers."""

from d1backend.transaction.session import Rows, Session

Key = tuple[str, tuple[str, ...]]


class Paused(BaseException):
    """A question of gather() waits for the others; it is no error, so nothing that catches errors shall
    see it."""


class Gathering:
    """The questions that wait, and the answers that have come."""

    def __init__(self) -> None:
        self._waiting: dict[Key, None] = {}
        self._answers: dict[Key, tuple[list[str], Rows]] = {}

    def take(self, sql: str, bound: list[str]) -> tuple[list[str], Rows]:
        """The answer to a question; raises Paused, having noted the question, when it has not come yet."""
        key = (sql, tuple(bound))
        if key not in self._answers:
            self._waiting[key] = None
            raise Paused
        return self._answers[key]

    def ask(self, session: Session) -> None:
        """Ask all waiting questions in one batch."""
        asked = [(sql, list(bound)) for sql, bound in self._waiting]
        self._waiting.clear()
        for (sql, bound), answer in zip(asked, session.ask(asked) if asked else [], strict=True):
            self._answers[sql, tuple(bound)] = session.received(sql, bound, answer)
