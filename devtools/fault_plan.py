"""The faults that the proxy can cause, and plans that say when."""

import itertools
import json
import math
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

_HTML = b"<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Bad gateway</h1></body></html>"


@dataclass(frozen=True)
class Fault:
    """The treatment of one request: whether the engine receives it, and what the client receives.

    `answer`: "reset", "cut" (half of the engine's answer, then a reset), "truncated" (half, as if complete),
    "hang" (nothing until the client leaves), "drip" (the engine's answer, a byte each 0.05 s), or a body to send with
    `status` and `headers`.
    `late`: forward the request that many seconds after the client gave up.
    `down`: refuse connections for that many seconds.
    """

    name: str
    forward: bool
    answer: str | bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    down: float = 0.0
    late: float | None = None

    @property
    def may_have_run(self) -> bool:
        return self.forward or self.late is not None


def api_error(code: int, message: str) -> bytes:
    """Return the body with which Cloudflare's API rejects a request."""
    error = {"result": None, "success": False, "errors": [{"code": code, "message": message}], "messages": []}
    return json.dumps(error).encode()


_THROTTLED = api_error(971, "Please wait and consider throttling your request speed")
_BROKEN = api_error(7500, "internal error")


def rate_limited(retry_after: str | None) -> Fault:
    """Return a 429 with this Retry-After (seconds or an HTTP date), or without one."""
    headers = (("Retry-After", retry_after),) if retry_after is not None else ()
    return Fault("429", False, _THROTTLED, 429, headers)


def status(
    code: int, *, forward: bool, body: bytes = _HTML, headers: tuple[tuple[str, str], ...] = ()
) -> Fault:
    """Return an answer with that status, before or after the engine did the work."""
    return Fault(f"{code} {'after' if forward else 'before'}", forward, body, code, headers)


def down(seconds: float) -> Fault:
    """Reset the request's connection, and refuse new ones for that many seconds."""
    return Fault("refused", False, "reset", down=seconds)


RESET_BEFORE = Fault("reset before", False, "reset")
RESET_AFTER = Fault("reset after", True, "reset")
RESET_MIDWAY = Fault("reset midway", True, "cut")
SLOW_BEFORE = Fault("slow before", False, "hang")
SLOW_AFTER = Fault("slow after", True, "hang")
DRIP = Fault("drip", True, "drip")
SLOW_LATE = Fault("slow and late", False, "hang", late=0.2)
TRUNCATED = Fault("truncated JSON", True, "truncated")
HTML = Fault("HTML", True, _HTML)
HOLLOW = Fault("no results", True, b'{"success": true, "result": [], "errors": [], "messages": []}')
SERVER_ERROR_BEFORE = status(500, forward=False, body=_BROKEN)
SERVER_ERROR_AFTER = status(500, forward=True, body=_BROKEN)
BAD_GATEWAY_BEFORE = status(502, forward=False)
BAD_GATEWAY_AFTER = status(502, forward=True)
UNAVAILABLE = status(503, forward=False)
TOO_LARGE = status(413, forward=False)
WRONG_TOKEN = status(403, forward=False, body=api_error(10000, "Authentication error"))
UNKNOWN_DATABASE = status(404, forward=False, body=api_error(7404, "The database x could not be found"))

PASSING = (
    RESET_BEFORE, RESET_AFTER, RESET_MIDWAY, TRUNCATED, HTML, HOLLOW, rate_limited(None), rate_limited("0"),
    SERVER_ERROR_BEFORE, SERVER_ERROR_AFTER, BAD_GATEWAY_BEFORE, BAD_GATEWAY_AFTER, UNAVAILABLE,
)  # fmt: skip
SLOW = (SLOW_BEFORE, SLOW_AFTER, SLOW_LATE)
LASTING = (WRONG_TOKEN, UNKNOWN_DATABASE, TOO_LARGE)


@dataclass(frozen=True)
class Request:
    """One request as the proxy read it; `connection` is the number of the client's connection."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def sql(self) -> list[str]:
        """Return the SQL of its statements."""
        content = json.loads(self.body or b"{}")
        return [part["sql"] for part in content.get("batch", [content]) if "sql" in part]


Plan = Callable[[int, Request], Fault | None]


def every(nth: int, faults: Iterable[Fault], seed: int = 0) -> Plan:
    """Return a plan with a fault in each nth request, in a shuffled order that uses all faults equally often."""
    pool = list(faults)
    random.Random(seed).shuffle(pool)
    turn = itertools.cycle(pool)
    return lambda number, request: next(turn) if number % nth == 0 else None


def always(fault: Fault) -> Plan:
    return lambda number, request: fault


@dataclass
class RateLimit:
    """A number of requests per window (seconds); one more, and all are refused for a whole window."""

    requests: int
    window: float
    _count: int = 0
    _until: float = 0.0

    @classmethod
    def parse(cls, text: str) -> "RateLimit":
        """Parse "1200/300": requests and seconds."""
        requests, window = text.split("/")
        return cls(int(requests), float(window))

    def refuse(self) -> Fault | None:
        """Count a request, and return its 429 or None."""
        now = time.monotonic()
        if now >= self._until:
            self._count, self._until = 0, now + self.window
        self._count += 1
        if self._count <= self.requests:
            return None
        if self._count == self.requests + 1:
            self._until = now + self.window
        return rate_limited(str(math.ceil(self._until - now)))
