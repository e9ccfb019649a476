"""Finds out, once and for all, whether a batch was applied whose answer was lost."""

import time
from dataclasses import replace

from d1backend import events
from d1backend.errors import OperationalError
from d1backend.options import Settings
from d1backend.protocol.api import Api
from d1backend.protocol.batch_marks import Mark, with_preparation
from d1backend.protocol.budget import after_write

# Marks are kept for a day; without its mark a batch would look as if it had not been applied.
_LONGEST = 12 * 3600.0
# The caller has waited for the batch already, and may ask again later.
_TIMEOUT, _RETRIES = 10.0, 1


class Settlement:
    """The question about one batch. It has an HTTP connection of its own, so any thread may ask, at any time."""

    def __init__(self, settings: Settings, database: str, mark: Mark) -> None:
        self._settings = replace(settings, timeout=min(settings.timeout, _TIMEOUT), retries=_RETRIES)
        self._database, self._mark = database, mark
        self._until = time.time() + _LONGEST

    def __call__(self) -> bool:
        """Whether the batch was applied. From now on it cannot be.

        Raises OperationalError when D1 does not answer, or the mark says nothing about this batch.
        """
        applied = None
        try:
            applied = self._ask()
            return applied
        finally:
            events.outcome_settled.send(Settlement, applied=applied)

    def _ask(self) -> bool:
        if time.time() > self._until:
            raise OperationalError("It is too late to ask: marks are kept for a day.")
        api = Api(self._settings)
        try:
            # The fence may be sent more than once: the second one changes nothing.
            with after_write():
                results = with_preparation(
                    lambda before: api.batch(
                        self._database, [*before, self._mark.fence(), self._mark.was_applied()]
                    )
                )
        finally:
            api.close()
        applied = results[1]["rows"][0][0] if results[1]["rows"] else None
        if applied is None:
            raise OperationalError("A copy of this client's state has written over the mark of this batch.")
        return bool(applied)
