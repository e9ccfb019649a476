"""The breaker of a host: while D1 does not answer, calls fail at once, and one at a time tries it.

People wait for a server. While D1 hangs, each call holds a thread until its timeout, and soon no thread is left for
reads of the copy, which do not need D1. So in a process with the setting `most_calls`

- at most that many calls wait for D1. Further ones wait for a place while D1 answers, and fail when it has answered
  nothing for a second;
- after a failure that shows that D1 is out of reach, the breaker is open for all processes of the host: calls fail at
  once with OutOfReach. After a pause the next call tries D1, one at a time: a short question goes before it, whose
  answer closes the breaker. For the first second of a trial others wait for its answer: often it is the sync of the
  request that then writes.

A process without that setting (a command) waits and tries again instead.
Why one failure or two open it: docs/decisions/0010-a-breaker-for-the-host.md.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from django.db import utils

from d1backend import events
from d1backend.errors import (
    AlreadyAppliedError,
    CarriedResult,
    Error,
    OutOfReach,
    OvertakenError,
    RateLimited,
    SchemaChangedError,
)
from d1backend.options import Settings
from d1backend.protocol.breaker_state import (
    LONGEST_WAIT,
    BreakerState,
    OpenState,
    StateInFiles,
    StateInMemory,
)
from d1backend.protocol.budget import current_spender
from d1backend.protocol.responses import NotDoneError, RefusedError

log = logging.getLogger(__name__)

# D1 is silent after so many seconds without an answer, while calls wait for one.
SILENCE = 1.0
# The seconds that the question of a trial may wait for a connection, and then for its answer.
PROBE = 2.0
# The seconds between trials when somebody waits for one, and how often they look.
_SHORTEST_PAUSE, _TICK = 1.0, 0.05
# The pause before a trial (seconds) begins at one second and doubles up to this.
_LONGEST_PAUSE = 5.0
_FAILURES = 2
# What parse_response() raises for an answer of D1.
_ANSWERS = (Error, utils.Error, AlreadyAppliedError, OvertakenError, SchemaChangedError, CarriedResult)

_breakers: dict[tuple[str, str, str], "Breaker"] = {}


def breaker_of(settings: Settings, database: str) -> "Breaker | None":
    """The breaker of a database, one for all connections of the process; None without `most_calls`."""
    if settings.most_calls is None:
        return None
    key = (settings.base_url, settings.account_id, database)
    found = _breakers.get(key)
    return found or _breakers.setdefault(key, Breaker(settings, " ".join(key)))


def attempt(
    settings: Settings, database: str | None, probe: Callable[[], object], *, settles: bool
) -> AbstractContextManager[None]:
    """A block that sends one request to a database; see Breaker.attempt()."""
    breaker = None if database is None else breaker_of(settings, database)
    return nullcontext() if breaker is None else breaker.attempt(probe, settles)


def forget() -> None:
    """Forget the breakers of this process: for tests, and for a process that was just forked."""
    _breakers.clear()


os.register_at_fork(after_in_child=forget)


class Breaker:
    """The breaker of one database in this process; used by all its threads."""

    def __init__(self, settings: Settings, identity: str) -> None:
        assert settings.most_calls is not None
        self._most_calls = settings.most_calls
        self._trial_takes = min(settings.connect_timeout, PROBE) + min(settings.timeout, PROBE)
        folder = settings.folder
        self._state: BreakerState = StateInMemory() if folder is None else StateInFiles(identity, folder)
        # Of this process, by time.monotonic(): when the waiting calls began, the last answer, the last failure.
        self._changed = threading.Condition()
        self._waiting: dict[object, float] = {}
        self._answered_at = self._failed_at = 0.0
        self._failures = 0

    @contextmanager
    def attempt(self, probe: Callable[[], object], settles: bool) -> Iterator[None]:
        """Send one request in this block. With `settles` it finds out what became of a write whose answer was lost.

        Such a request need not wait for the pause before a trial, because its write may have been done. `probe` asks D1
        something short, before a request that finds the breaker open.
        Raises RefusedError with an OutOfReach when the request must not be sent.
        """
        with self._place():
            self._try(probe, at_once=settles)
            started = time.monotonic()
            try:
                yield
            except NotDoneError as failure:
                # After a 429 the host waits for as long as it asks (rate_limit.py); the call may not have been sent.
                if not _is_held_back(failure):
                    self._note_failure(failure, started)
                raise
            except RateLimited:
                raise
            except _ANSWERS:
                self._note_answer()
                raise
            else:
                self._note_answer()

    def reach(self, probe: Callable[[], object]) -> None:
        """Try a D1 that is out of reach for somebody who waits: without the pause, and after a trial under way.

        Raises RefusedError with an OutOfReach when D1 does not answer.
        """
        with self._place():
            self._try(probe, patience=2 * PROBE)

    def seconds_left(self) -> float | None:
        """How many seconds until D1 is tried again; None when a call would be sent now."""
        state = self._state.read()
        if state is not None:
            return None if self._has_young_trial else min(state.seconds_left, _LONGEST_PAUSE) or None
        with self._changed:
            return SILENCE if self._is_full and self._silent_in <= 0 else None

    @property
    def is_out_of_reach(self) -> bool:
        """Whether D1 was out of reach when it was last asked."""
        return self._state.read() is not None

    @property
    def is_open(self) -> bool:
        """Whether D1 was out of reach when it was last asked, or a call has waited for a second in silence."""
        if self._state.read() is not None:
            return True
        with self._changed:
            since = max(self._answered_at, min(self._waiting.values(), default=float("inf")))
        return time.monotonic() - since > SILENCE

    # Places

    @property
    def _is_full(self) -> bool:
        return len(self._waiting) >= self._most_calls

    @property
    def _silent_in(self) -> float:
        """In how many seconds D1 has had its time to answer one of the calls that wait now."""
        return max(self._answered_at, *self._waiting.values()) + SILENCE - time.monotonic()

    @contextmanager
    def _place(self) -> Iterator[None]:
        """Hold one of the places for calls."""
        call = object()
        with self._changed:
            while self._is_full:
                state = self._state.read()
                if state is not None and self._is_refused(state):
                    raise _refusal(state)
                if (left := self._silent_in) <= 0:
                    raise _refused(f"D1 answers none of {len(self._waiting)} calls", SILENCE)
                self._changed.wait(left)
            self._waiting[call] = time.monotonic()
        try:
            yield
        finally:
            with self._changed:
                del self._waiting[call]
                self._changed.notify()

    # Trials

    def _try(self, probe: Callable[[], object], *, at_once: bool = False, patience: float = 0.0) -> None:
        """Return when the breaker is closed, or D1 has answered the probe.

        It is sent after the pause; `at_once` without it, and with `patience` (seconds) a second after the last trial.
        """
        until = time.monotonic() + patience
        while (state := self._state.read()) is not None:
            left = 0.0 if at_once else state.seconds_left
            if patience:
                left -= min(2.0**state.failed_trials, _LONGEST_PAUSE) - _SHORTEST_PAUSE
            if left <= 0 and self._has_tried(probe, state):
                return
            if time.monotonic() >= until and self._is_refused(state):
                raise _refusal(state)
            time.sleep(_TICK)

    def _is_refused(self, state: OpenState) -> bool:
        """Whether a call that finds this state fails at once, because no trial has begun or is about to end it."""
        return state.seconds_left > 0 and not self._has_young_trial and state == self._state.read()

    @property
    def _has_young_trial(self) -> bool:
        """Whether a trial is under way in which D1 still has time to answer."""
        return self._state.trial_age() <= SILENCE

    def _has_tried(self, probe: Callable[[], object], found: OpenState) -> bool:
        """Send the probe; returns False when another trial is under way, or has failed since the state was `found`."""
        with self._state.trial() as claimed:
            state = self._state.read()
            if state is None:
                return True
            if not claimed or state != found:
                return False
            self._state.postpone(time.time() + self._trial_takes)
            started = time.monotonic()
            try:
                probe()
            except NotDoneError as failure:
                if _is_held_back(failure):
                    self._state.postpone(state.until)
                    raise
                self._note_failure(failure, started, is_trial=True)
                if isinstance(failure, RefusedError):
                    raise
                raise _refusal(self._state.read() or state) from None
            except _ANSWERS:
                pass
            self._note_answer()
            return True

    def _note_answer(self) -> None:
        with self._changed:
            self._answered_at, self._failures = time.monotonic(), 0
        try:
            was_open = self._state.close()
        except OSError as error:
            self._keep_to_itself(error)
            was_open = True
        if was_open:
            log.warning("D1 answers again.")
            events.outage_ended.send(Breaker)

    def _note_failure(self, failure: NotDoneError, started: float, *, is_trial: bool = False) -> None:
        if isinstance(failure, RefusedError):
            self._note_answer()
            return
        now = time.monotonic()
        with self._changed:
            hung = now - started >= SILENCE and self._answered_at < started
            # Calls that failed together, as when one connection breaks under all of them, are one failure.
            if started > self._failed_at:
                self._failures += 1
                self._failed_at = now
            opens = hung or self._failures >= _FAILURES
        if opens or is_trial:
            self._open(str(failure), failure.wait, is_trial)

    def _open(self, reason: str, wait: float, is_trial: bool) -> None:
        """Open the breaker for all processes; when it is open, only a failed trial moves the next one."""
        state = self._state.read()
        if state is not None and not is_trial:
            return
        trials = 0 if state is None else state.failed_trials + 1
        pause = max(min(2.0**trials, _LONGEST_PAUSE), min(wait, LONGEST_WAIT))
        if state is None:
            log.warning("D1 is out of reach (%s); calls fail at once, except one at a time.", reason)
            events.outage_began.send(Breaker)
        state = OpenState(reason, trials, time.time() + pause)
        try:
            self._state.open(state)
        except OSError as error:
            self._keep_to_itself(error)
            self._state.open(state)

    def _keep_to_itself(self, error: OSError) -> None:
        """Keep the state in this process, because the host's folder cannot be written."""
        log.warning("Other processes cannot be told whether D1 is out of reach: %s", error)
        self._state = StateInMemory()


def _is_held_back(failure: NotDoneError) -> bool:
    """Whether a limit of calls ended this one, which says nothing of whether D1 answers."""
    return isinstance(failure.error, RateLimited) and failure.wait > 0


def _refusal(state: OpenState) -> RefusedError:
    return _refused(f"D1 is out of reach ({state.reason})", state.seconds_left)


def _refused(reason: str, seconds: float) -> RefusedError:
    """The failure of a call that is not sent; `seconds` is when D1 is tried again."""
    events.call_refused.send(Breaker, reason="breaker", spender=current_spender()[0].value)
    wait = min(seconds, _LONGEST_PAUSE) or SILENCE
    error = OutOfReach(f"{reason}; this call was not sent. Try again in {wait:.0f} s.")
    error.retry_after = wait
    return RefusedError(error)
