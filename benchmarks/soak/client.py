"""An app's HTTP: kept connections, patience, and retries as docs/api.md asks for; every answer is noted and judged."""

import asyncio
import base64
import itertools
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import orjson

from benchmarks.load import Connection, request
from benchmarks.soak.schedule import Window

PATIENCE = 40.0  # seconds for an answer: 8 for D1, twice, and a queue
MOST_PAUSE = 4.0  # seconds between two tries, unless Retry-After says more
AFTERMATH = 5.0  # seconds after a kill in which connections may break
IDLE = 50.0  # seconds; the server closes a connection after 65
CONNECTIONS = 64  # as a load balancer keeps them open
UNKNOWN, BROKEN = "outcome_unknown", "broken"
REFUSALS = {503: ("unavailable", UNKNOWN), 429: ("too_many_requests", "too_many_attempts")}
Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """The answer to one try. `begun`, `ended` are seconds of the run; the status is 0 where the connection broke."""

    call: str
    request_id: str
    begun: float
    ended: float
    status: int
    head: bytes = b""
    body: bytes = b""

    def header(self, name: str) -> str:
        """Return the header's value, or ""."""
        wanted = name.lower().encode()
        for line in self.head.split(b"\r\n"):
            found, _, value = line.partition(b":")
            if found.lower() == wanted:
                return value.strip().decode("latin-1")
        return ""

    def json(self) -> Json:
        found: Json = orjson.loads(self.body)
        return found

    @property
    def code(self) -> str:
        """Return the code of an error, "broken" for a connection that broke, or ""."""
        if self.status == 0:
            return BROKEN
        try:
            return str(self.json().get("code", "")) if self.status >= 400 else ""
        except (ValueError, AttributeError):
            return ""

    @property
    def may_have_run(self) -> bool:
        return self.code in (UNKNOWN, BROKEN)

    @property
    def is_refusal(self) -> bool:
        """Whether the call is to be tried again later."""
        return self.status == 0 or self.status in REFUSALS


@dataclass
class Log:
    """Every answer, and everything that was wrong. `begun` is time.monotonic() when the run began."""

    begun: float = field(default_factory=time.monotonic)
    answers: list[tuple[str, int, float, float, float]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    breaks: list[Window] = field(default_factory=list)  # in which connections may break
    codes: dict[str, int] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)  # each try of one, for whoever looks for what went wrong

    def now(self) -> float:
        return time.monotonic() - self.begun

    def add(self, answer: Answer, due: float) -> None:
        self.answers.append((answer.call, answer.status, due, answer.begun, answer.ended))
        if answer.code:
            self.codes[answer.code] = self.codes.get(answer.code, 0) + 1

    def wrong(self, answer: Answer, what: str) -> None:
        self.violations.append(
            f"{answer.begun:7.1f} s  {answer.call}, {answer.status}, request {answer.request_id}: {what}"
        )

    def may_break(self, answer: Answer) -> bool:
        return any(window.meets(answer.begun, answer.ended) for window in self.breaks)


def fault_of(answer: Answer) -> str:
    """Return what is wrong with a refusal or an answer of 500 and above, or ""."""
    if answer.status not in REFUSALS:
        return f"a {answer.status}: {answer.body[:200]!r}" if answer.status >= 500 else ""
    if answer.code not in REFUSALS[answer.status]:
        return f"no refusal of the envelope: {answer.body[:200]!r}"
    content = answer.json()
    if content.get("success") is not False or not content.get("message"):
        return f"no envelope: {answer.body[:200]!r}"
    return "" if answer.header("retry-after").isdigit() else "no Retry-After"


class Client:
    """Sends calls to the service at `url`, as its load balancer sends them on."""

    def __init__(self, url: str, log: Log, seed: int = 1) -> None:
        self.url, self.host, self.log = url, url.removeprefix("http://"), log
        self.chance = random.Random(seed)
        self.numbers = itertools.count(1)
        self.idle: list[tuple[Connection, float]] = []
        self.free = asyncio.Semaphore(CONNECTIONS)

    async def once(
        self,
        call: str,
        method: str,
        path: str,
        *,
        token: str = "",
        json: Json | None = None,
        body: bytes = b"",
        headers: str = "",
        due: float | None = None,
        query: dict[str, str | int] | None = None,
    ) -> Answer:
        """Send one try of a call and note its answer; `due` is when it should have been sent."""
        begun, request_id = self.log.now(), f"soak-{next(self.numbers)}"
        headers += f"X-Request-ID: {request_id}\r\nX-Real-IP: 192.0.2.{self.address_of(token)}\r\n"
        headers += "X-Forwarded-Proto: https\r\n"
        path += f"?{urlencode(query)}" if query else ""
        sent = request(
            self.host, method, path, token=token, body=orjson.dumps(json) if json else b"", headers=headers
        )
        head, content = await self.answer_to(sent + body)
        status = int(head[9:12]) if head else 0
        answer = Answer(call, request_id, begun, self.log.now(), status, head, content)
        self.log.add(answer, begun if due is None else due)
        if method != "GET":
            self.log.writes.append(
                f"{begun:8.2f} to {answer.ended:8.2f} s  {method} {path} by {user_of(token)}: "
                f"{status} {answer.code} {request_id}"
            )
        if status == 0:
            # A kill is noted a moment after it happened.
            await asyncio.sleep(0.1)
        if status == 0 and not self.log.may_break(answer):
            self.log.wrong(answer, f"the connection broke, or no answer came within {PATIENCE:.0f} s")
        elif not path.startswith("/admin") and (wrong := fault_of(answer)):
            self.log.wrong(answer, wrong)
        return answer

    def address_of(self, token: str) -> int:
        """Return the last number of the caller's address: people come from many networks."""
        return hash(token) % 200 + 1 if token else self.chance.randrange(1, 201)

    async def answer_to(self, sent: bytes) -> tuple[bytes, bytes]:
        """Return the head and the body of the answer, empty where there is none."""
        async with self.free:
            try:
                async with asyncio.timeout(PATIENCE):
                    connection = await self.connection()
                    try:
                        whole = await connection.ask(sent)
                    except BaseException:
                        connection.transport.close()
                        raise
            except (OSError, TimeoutError):
                return b"", b""
            if connection.is_last:
                connection.transport.close()
            else:
                self.idle.append((connection, time.monotonic()))
        head, _, content = whole.partition(b"\r\n\r\n")
        return head, without_chunks(content) if connection.is_chunked else content

    async def connection(self) -> Connection:
        while self.idle:
            connection, since = self.idle.pop()
            if not connection.transport.is_closing() and time.monotonic() < since + IDLE:
                return connection
            connection.transport.close()
        return await Connection.to(self.url)

    async def pause(self, answer: Answer, tries: int) -> None:
        """Wait before another try: ever longer, somewhat at random, and never less than Retry-After."""
        wait = min(MOST_PAUSE, 0.25 * 2**tries) * self.chance.uniform(0.75, 1.25)
        asked = answer.header("retry-after")
        await asyncio.sleep(max(wait, float(asked) if asked.isdigit() else 0.0))

    async def patiently(
        self, call: str, once: Callable[[], Any], seconds: float, *, stays: bool = True
    ) -> tuple[Answer, bool]:
        """Try until there is an answer that is no refusal, for so many seconds.

        Return it, or the last refusal, and whether an earlier try, or that one, may have run. Who does not `stay`
        leaves at the first refusal that says that nothing was done.
        """
        until, may_have_run = self.log.now() + seconds, False
        for tries in itertools.count():
            answer: Answer = await once()
            if not answer.is_refusal:
                return answer, may_have_run
            may_have_run |= answer.may_have_run
            if self.log.now() > until or (not stays and not may_have_run):
                return answer, may_have_run
            await self.pause(answer, tries)
        raise AssertionError  # the loop has no end of its own


def user_of(token: str) -> int:
    """Return the user's number in an access token; 0 without one."""
    if not token:
        return 0
    payload = token.split(".")[1]
    claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return int(claims["user_id"])


def without_chunks(content: bytes) -> bytes:
    """Return a body that came in chunks."""
    found = b""
    while content:
        size, _, rest = content.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        found, content = found + rest[:length], rest[length + 2 :] if length else b""
    return found
