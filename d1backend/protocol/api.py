"""D1's REST API over one kept-alive connection: sends requests, classifies failures, retries what may be retried.

Endpoints and answers: https://developers.cloudflare.com/api/resources/d1/subresources/database/methods/raw/
"""

import json
import math
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, TypedDict
from urllib.parse import quote

import urllib3
from django.db import utils

from d1backend import events
from d1backend.errors import (
    Error,
    NotFoundError,
    OperationalError,
    OutcomeUnknown,
    OvertakenError,
    RateLimited,
)
from d1backend.options import Settings
from d1backend.protocol import breaker, budget, deadline
from d1backend.protocol.messages import with_tables
from d1backend.protocol.rate_limit import Limit
from d1backend.protocol.responses import (
    Answer,
    LostError,
    NotDoneError,
    RefusedError,
    UnsentError,
    parse_response,
    rate_limited,
)
from d1backend.waiting import about_to_wait

Statement = tuple[str, list[str]]


# What a request sends as JSON.
Body = Mapping[str, str | list[dict[str, str | list[str]]]] | None


_DOUBLINGS, _LONGEST_PAUSE = 16, 20.0  # of the pause between two attempts; seconds
_PROBE: Body = {"batch": [{"sql": "SELECT 1"}]}


class Result(TypedDict):
    """What D1 returns for one statement."""

    columns: list[str]
    rows: list[list[Any]]


@dataclass
class Usage:
    """What a connection has used: requests, and rows read and written, by which D1 bills.

    https://developers.cloudflare.com/d1/platform/pricing/
    The error that ends a rehearsal does not say how many rows it read, so those are not counted.
    """

    round_trips: int = 0
    rows_read: int = 0
    rows_written: int = 0

    def add(self, other: "Usage") -> None:
        self.round_trips += other.round_trips
        self.rows_read += other.rows_read
        self.rows_written += other.rows_written

    def since(self, before: "Usage") -> "Usage":
        """What was used after `before`."""
        return Usage(
            self.round_trips - before.round_trips,
            self.rows_read - before.rows_read,
            self.rows_written - before.rows_written,
        )

    def add_rows(self, meta: Mapping[str, int]) -> None:
        self.rows_read += meta.get("rows_read", 0)
        self.rows_written += meta.get("rows_written", 0)


class Api:
    """One HTTP connection to the API; used by one thread at a time.

    With `waiting`, a 429 is waited out whatever the budget; `waiting` is called with the seconds before each wait.
    """

    def __init__(
        self,
        settings: Settings,
        sleep: Callable[[float], None] = time.sleep,
        waiting: Callable[[float], None] | None = None,
    ) -> None:
        self.settings = settings
        self.usage = Usage()
        self.budget = budget.budget_of(settings)
        self._sleep, self._waiting = sleep, waiting
        self._limit = Limit.of(settings)
        self._url = urllib3.util.parse_url(settings.base_url)
        self._path = (
            f"{(self._url.path or '').rstrip('/')}/accounts/{quote(settings.account_id, safe='')}/d1/database"
        )
        self._headers = {
            "Authorization": f"Bearer {settings.api_token}",
            "Content-Type": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": "d1backend",
        }
        self._open()

    def _open(self) -> None:
        self._process = os.getpid()
        self._pool = deadline.pool_of(self._url)

    def _timeout(self, longest: float) -> urllib3.Timeout:
        connect, read = self.settings.connect_timeout, self.settings.timeout
        return urllib3.Timeout(connect=min(connect, longest), read=min(read, longest))

    def close(self) -> None:
        self._pool.close()

    def reach(self, database: str) -> None:
        """Ask a D1 that is out of reach whether it answers again; for somebody who waits (Breaker.reach()).

        Sends nothing while it is in reach. Raises OutOfReach when it does not answer, or RateLimited.
        """
        found = breaker.breaker_of(self.settings, database)
        if found is None or not found.is_out_of_reach:
            return
        path = f"/{quote(database, safe='')}/raw"
        try:
            found.reach(lambda: self._attempt("POST", path, _PROBE, 1, longest=breaker.PROBE))
        except NotDoneError as failure:
            raise failure.error from None

    def batch(
        self,
        database: str,
        statements: list[Statement],
        *,
        writes: bool = False,
        tail: Sequence[Statement] = (),
    ) -> list[Result]:
        """Run statements as one batch; D1 does all of them or none.

        It may be sent more than once: `writes` says that it changes the database and carries a mark that makes this
        harmless (batch_marks.py); other batches only read. The statements of `tail` come after the others; error
        messages do not name their tables.
        Returns the result of each statement.
        Raises the exception of messages.error_of() for an error of D1; for a failure that the batch causes on purpose
        this is AlreadyAppliedError, OvertakenError, CarriedResult or SerializationFailure. Raises RateLimited for a
        429, OutcomeUnknown when a write may have been applied, and sqlite3's OperationalError or InterfaceError when
        the request failed on the way or was refused (errors.py).
        """
        whole = [*statements, *tail]
        body: Body = {
            "batch": [{"sql": sql, "params": bound} if bound else {"sql": sql} for sql, bound in whole]
        }
        path = f"/{quote(database, safe='')}/raw"
        try:
            answer = self._retried("POST", path, body, database=database, parts=len(whole), writes=writes)
        except (Error, utils.Error) as error:
            error.args = (with_tables(str(error), [sql for sql, _ in statements]),)
            raise
        before = replace(self.usage)
        for part in answer["result"]:
            self.usage.add_rows(part.get("meta") or {})
        used = self.usage.since(before)
        events.rows_billed.send(Api, rows_read=used.rows_read, rows_written=used.rows_written)
        return [part["results"] for part in answer["result"]]

    def create(self, name: str) -> str:
        """Make a database and return its id."""
        return self._retried("POST", "", {"name": name}, writes=True, marked=False)["result"]["uuid"]

    def find(self, name: str) -> str | None:
        """The id of the database of that name, or None."""
        answer = self._retried("GET", f"?name={quote(name, safe='')}&per_page=100", None)
        return next((db["uuid"] for db in answer["result"] if db["name"] == name), None)

    def delete(self, database: str) -> None:
        """Delete the database with that id, and its data.

        Raises OperationalError when there is none. After a lost answer this may mean that the first request deleted it.
        """
        self._retried("DELETE", f"/{quote(database, safe='')}", None)

    def bookmark(self, database: str, at: str | None = None) -> str:
        """The bookmark of the database now, or of the last moment at or before the time `at` (ISO 8601).

        Raises OperationalError when the server has no Time Travel, or none back to that time.
        """
        query = "" if at is None else f"?timestamp={quote(at, safe='')}"
        return self._travel("GET", database, f"bookmark{query}", "bookmark")

    def restore(self, database: str, bookmark: str) -> str:
        """Take the database back to a bookmark, in place; return the one that undoes this.

        It is sent once: after a lost answer it raises OutcomeUnknown. Raises OperationalError as bookmark() does.
        """
        path = f"restore?bookmark={quote(bookmark, safe='')}"
        return self._travel("POST", database, path, "previous_bookmark", writes=True)

    def _travel(self, method: str, database: str, path: str, name: str, *, writes: bool = False) -> str:
        """Call an endpoint of Time Travel; return the value of that name."""
        whole = f"/{quote(database, safe='')}/time_travel/{path}"
        try:
            result = self._retried(method, whole, None, writes=writes, marked=False)["result"]
        except NotFoundError:
            raise OperationalError(
                "This server has no Time Travel, or does not know the account or the database"
            ) from None
        found = result.get(name) if isinstance(result, dict) else None
        if not isinstance(found, str):
            raise OperationalError(f"D1's answer has no {name}")
        return found

    def _retried(
        self,
        method: str,
        path: str,
        body: Body,
        *,
        database: str | None = None,
        parts: int | None = None,
        writes: bool = False,
        marked: bool = True,
    ) -> Answer:
        """Send a request, and again while that is safe and may help; return the answer.

        After an UnsentError or LostError it is sent again, up to `retries` times and for `retry_budget` seconds. One
        that was lost has perhaps run: if it `writes`, it is sent once more even after the budget (if D1 does not ask to
        wait), and never again if it is not `marked`, because it must not run twice. `parts` is how many results the
        answer must have. The breaker of the `database` may refuse a request (breaker.py), and a process that has one
        does not wait for over a second because D1 asks it to.
        Raises OutcomeUnknown if a write was lost and no later answer shows whether it was applied, else the last error;
        WouldWait where this thread may not wait.
        """
        about_to_wait()
        attempt, lost = 0, False

        def probe() -> None:
            self._attempt(method, path, _PROBE, 1, settles=lost and writes, longest=breaker.PROBE)

        until = time.monotonic() + self.settings.retry_budget
        while True:
            try:
                with breaker.attempt(self.settings, database, probe, settles=lost and writes):
                    return self._attempt(method, path, body, parts, settles=lost and writes)
            except NotDoneError as failure:
                last = failure
            except OvertakenError as overtaken:
                if lost and overtaken.beyond:
                    raise _unknown(last) from last.error
                raise
            if last.wait and self._waits_out(last.error):
                if self._waiting is not None:
                    self._waiting(last.wait)
                pause = self._pause(1) + last.wait
                until += pause
                self._sleep(pause)
                events.request_repeated.send(Api, reason=_outcome_of(last))
                continue
            # However long a lost answer took, one more attempt shows what became of the write.
            settles = isinstance(last, LostError) and writes and not lost
            lost = lost or isinstance(last, LostError)
            attempt += 1
            pause = self._pause(attempt) + last.wait
            if (
                isinstance(last, RefusedError)
                or attempt > self.settings.retries
                or (self.settings.most_calls is not None and last.wait > breaker.SILENCE)
                or (lost and not marked)
                or (time.monotonic() + pause > until and not (settles and not last.wait))
            ):
                break
            self._sleep(pause)
            events.request_repeated.send(Api, reason=_outcome_of(last))
        if lost and writes:
            raise _unknown(last) from last.error
        raise last.error

    def _waits_out(self, error: Exception) -> bool:
        """Whether to wait for as long as this error asks, whatever the budget of time."""
        return isinstance(error, RateLimited) and (
            self._waiting is not None or (error.own and budget.waits())
        )

    def _pause(self, attempt: int) -> float:
        pause = self.settings.retry_pause * 2 ** min(attempt - 1, _DOUBLINGS)
        return min(pause, _LONGEST_PAUSE) * random.uniform(0.5, 1.5)  # noqa: S311

    def _attempt(
        self,
        method: str,
        path: str,
        body: Body,
        parts: int | None,
        *,
        settles: bool = False,
        longest: float = math.inf,
    ) -> Answer:
        """Send one request; if it `settles` a lost write, even if this host's budget has no room for it.

        It may take `longest` seconds to connect and to be answered, each, and never longer than the settings say.

        Raises the exceptions of responses.parse_response(). A NotDoneError for a failed connection is raised from None,
        because frames of the HTTP library hold the token.
        """
        spender = budget.current_spender()[0].value
        if left := self._limit.seconds_left():
            events.call_refused.send(Api, reason="block", spender=spender)
            raise rate_limited(left)
        try:
            with budget.after_write() if settles else nullcontext():
                self.budget.take()
        except RateLimited as error:
            events.call_refused.send(Api, reason="budget", spender=spender)
            raise RefusedError(error, error.retry_after) from None
        if self._process != os.getpid():
            self._open()
        self.usage.round_trips += 1
        events.request_sent.send(Api)
        started, outcome = time.perf_counter(), "aborted"
        try:
            answer = self._answer(method, path, body, parts, longest)
            outcome = "answered"
            return answer
        except NotDoneError as failure:
            outcome = _outcome_of(failure)
            raise
        finally:
            seconds = time.perf_counter() - started
            events.request_ended.send(Api, spender=spender, outcome=outcome, seconds=seconds)

    def _answer(self, method: str, path: str, body: Body, parts: int | None, longest: float) -> Answer:
        """Send one request and return its answer; raises as _attempt() does."""
        data = None if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        try:
            response = self._pool.request(
                method, self._path + path, body=data, headers=self._headers, timeout=self._timeout(longest)
            )
        except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
            raise UnsentError(OperationalError(f"D1 cannot be reached: {_reason(error)}")) from None
        except urllib3.exceptions.SSLError as error:
            raise RefusedError(OperationalError(f"D1 cannot be reached safely: {_reason(error)}")) from None
        except urllib3.exceptions.ReadTimeoutError:
            raise LostError(
                OperationalError(f"D1 did not answer in {min(self.settings.timeout, longest):g} s")
            ) from None
        except urllib3.exceptions.HTTPError as error:
            raise LostError(OperationalError(f"The connection to D1 broke: {_reason(error)}")) from None
        self.budget.note(response.headers)
        try:
            return parse_response(response.status, response.headers, response.data, parts)
        except UnsentError as unsent:
            if isinstance(unsent.error, RateLimited) and unsent.wait:
                self._limit.note_block(unsent.wait)
            raise


def _outcome_of(failure: NotDoneError) -> str:
    """The word of events.py for what became of a request."""
    if isinstance(failure.error, RateLimited):
        return "limited"
    return (
        "unsent"
        if isinstance(failure, UnsentError)
        else "lost"
        if isinstance(failure, LostError)
        else "refused"
    )


def _unknown(last: NotDoneError) -> OutcomeUnknown:
    events.outcome_lost.send(Api)
    return OutcomeUnknown(f"{last}; whether the write was done is not known")


def _reason(error: BaseException) -> str:
    """The system's words for a failed connection, without the address."""
    cause = error
    while cause.__cause__ or cause.__context__:
        cause = cause.__cause__ or cause.__context__  # type: ignore[assignment]
    return getattr(cause, "strerror", None) or type(cause).__name__
