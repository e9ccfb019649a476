"""One connection: what has arrived on it, what it waits for, and until when. It reads and sends nothing by itself."""

import re
import socket
import time
from enum import Enum, auto
from typing import Any

from gunicorn.config import Config
from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader

from core.request_body import BodyAwaited, BodyTooLarge, Unreadable
from gallery_project.wire.framing import Chunked, Framing, framing_of
from gallery_project.wire.outbox import Outbox
from gallery_project.wire.refusals import CUT_SHORT, MALFORMED, Refusal
from gallery_project.wire.spool import IN_MEMORY, Kept, Spool

MOST_ADDRESS = 8190  # bytes
MOST_HEAD = 16 * 1024  # bytes
MOST_DRAINED = 128 * 1024**2  # bytes that are dropped after an answer, so that the client reads it

SPOKEN = (1, 1)  # the highest version of HTTP that is spoken here
CLOSE = re.compile(r"(?:^|,)[ \t]*close[ \t]*(?:,|$)", re.I)

LIST = "/api/designs"
DESIGN = re.compile(r"/api/designs/[0-9]+")
QUICK_PARAMETER = re.compile(
    r"(?!(?:search|q|sort)=)[a-z_]*(?:=.*)?|(?:search|q)=|sort=(?:newest|oldest|title)?"
)

HEAD_SECONDS = 15.0
BODY_SECONDS = 900.0  # at most, and less if it comes more slowly than
BODY_GRACE, BODY_RATE = 20.0, 1024.0  # seconds before the rate counts; bytes a second on average
LINGER_IDLE = 10.0  # without a byte to drop
SEND_IDLE = 60.0  # without a byte that the client takes


class Step(Enum):
    """What to do with a connection."""

    WAIT = auto()  # for more bytes
    LATER = auto()  # go on with those that have come, after other connections
    ASK = auto()  # the application, which may refuse the request by its head
    RUN = auto()  # the request: it is complete


class Connection:
    """The state of one connection; `since` is when it began to wait for what it waits for.

    `busy` while a thread has it, `sends` while the loop sends the rest of an answer, `lingers` while the loop drops
    what still comes; `watched`: the events that the loop waits for. `sock` is what gunicorn writes answers to.
    `pipelines` once its client has sent a request before it had the answer to another.
    """

    def __init__(
        self, cfg: Config, sock: socket.socket, client: tuple[str, int], server: tuple[str, int], spool: Spool
    ) -> None:
        self.cfg, self.socket, self.client, self.server, self.spool = cfg, sock, client, server, spool
        self.fd = sock.fileno()
        self.sock = Outbox(sock, spool)
        self.buffer = bytearray()
        self.count = self.dropped = self.watched = 0
        self.pipelines = self.busy = self.sends = self.lingers = self.goes_on = False
        self.body: Kept | None = None
        self.forget_request()

    def forget_request(self) -> None:
        """Let go of the request and its body, and wait for the next."""
        if self.body is not None:
            self.body.close()
        self.kept = 0  # bytes of the body
        self.head = b""
        self.request: Any = None  # gunicorn's Request, once the head is there
        self.framing: Framing | None = None
        self.body = None
        self.awaited: Unreadable | None = None  # the body, for an application that has been asked
        self.expects_continue = self.closes = False
        self.notes: dict[str, object] = {}  # what the application keeps for a request that runs again
        self.since = self.heard = time.monotonic()

    @property
    def is_idle(self) -> bool:
        return self.request is None and not (self.buffer or self.sends or self.lingers)

    def deadline(self) -> float:
        if self.sends:
            return min(self.since + BODY_SECONDS, self.heard + SEND_IDLE)
        if self.lingers:
            return min(self.since + time_for(self.dropped), self.heard + LINGER_IDLE)
        if self.request is not None:
            return self.since + time_for(self.kept)
        return self.since + (HEAD_SECONDS if self.buffer else self.cfg.keepalive)

    def dispensability(self) -> tuple[int, float]:
        """Return a rank by which connections are closed to make place for new ones, the first first."""
        if self.lingers:
            return 1, self.since
        if self.is_idle:
            return (2 if self.count else 0), self.since
        return (0 if self.buffer and self.request is None and not self.sends else 3), self.since

    def receive(self, data: bytes) -> None:
        self.heard = time.monotonic()
        if self.is_idle:
            self.since = self.heard
        self.buffer += data

    def send_rest(self, goes_on: bool) -> None:
        """Wait for the client to read the rest of the answer, and go on after it, or not."""
        self.forget_request()
        self.sends, self.goes_on = True, goes_on

    @property
    def address(self) -> str:
        """The address of the socket's other end; empty for a Unix socket."""
        return self.client[0] if self.client else ""

    def linger(self) -> None:
        """Drop what still comes."""
        self.forget_request()
        self.buffer.clear()
        self.sends, self.lingers = False, True

    def drop(self, data: bytes) -> bool:
        """Return whether more may come."""
        self.heard = time.monotonic()
        self.dropped += len(data)
        return self.dropped < MOST_DRAINED

    def advance(self) -> Step:
        """Return what to do after bytes have come. Raises Refusal and gunicorn's ParseException."""
        if self.request is None:
            self.begin()
        return Step.WAIT if self.request is None else self.collect()

    def begin(self) -> None:
        """Parse the head, if it is complete."""
        while self.buffer.startswith(
            b"\r\n"
        ):  # RFC 9112, section 2.2: empty lines before a request say nothing
            del self.buffer[:2]
        end = self.buffer.find(b"\r\n\r\n", 0, MOST_HEAD)
        if end < 0:
            check_address(self.buffer)
            if len(self.buffer) >= MOST_HEAD:
                raise Refusal(431)
            if self.buffer.count(b"\n") != self.buffer.count(b"\r\n"):
                raise Refusal(*MALFORMED)  # a bare LF: the end would never come
            return
        self.head = bytes(self.buffer[: end + 4])
        del self.buffer[: end + 4]
        check_address(self.head)
        self.count += 1
        try:
            request = Request(self.cfg, IterUnreader([self.head]), self.client, self.count)
        except (NoMoreData, StopIteration):
            raise Refusal(*MALFORMED) from None
        be_strict(request)
        self.request, self.framing = request, framing_of(request)
        # gunicorn would answer it before the application is asked.
        self.expects_continue, request._expected_100_continue = request._expected_100_continue, False
        self.closes = request.must_close
        self.since = time.monotonic()

    def collect(self) -> Step:
        """Take what has come of the body."""
        assert self.framing is not None
        try:
            data = self.framing.take(self.buffer)
        except ParseException:
            raise Refusal(*CUT_SHORT) from None
        if data:
            self.keep(data)
        if self.framing.done or self.is_too_large():
            return Step.RUN
        if self.framing.pauses:
            return Step.LATER
        is_long = max(self.kept, self.framing.length or 0) > IN_MEMORY
        return Step.ASK if self.awaited is None and (is_long or self.expects_continue) else Step.WAIT

    def is_too_large(self) -> bool:
        limit = self.awaited.limit if self.awaited else None
        return limit is not None and self.kept > limit

    def keep(self, data: bytes) -> None:
        self.kept += len(data)
        try:
            if self.body is None:
                self.body = Kept(self.spool)
            self.body.write(data)
        except OSError as error:
            raise Refusal(503) from error

    def prepare(self, step: Step) -> None:
        """Let the request say what the application may see of its body."""
        request = self.request
        if step is Step.ASK:
            # An answer without the body ends the connection.
            request.force_close()
            request.body = self.awaited = Unreadable(BodyAwaited)
            if isinstance(self.framing, Chunked):
                request.headers.append(("CONTENT-LENGTH", "1"))  # Django asks for no body without a length
            return
        self.pipelines = self.pipelines or bool(self.buffer)
        if isinstance(self.framing, Chunked):
            ours = ("TRANSFER-ENCODING", "CONTENT-LENGTH")
            kept = [header for header in request.headers if header[0] not in ours]
            request.headers = [*kept, ("CONTENT-LENGTH", str(self.kept))]
        if self.is_too_large():
            request.force_close()
            request.body = Unreadable(BodyTooLarge)
        elif self.body is not None:
            self.body.seek(0)
            request.body = self.body

    @property
    def is_quick(self) -> bool:
        """Whether it asks for one design or a list that mostly takes no time, and nothing more has come."""
        request = self.request
        return (
            request.method == "GET"
            and self.body is None
            and not self.buffer
            and (
                is_quick_list(request.query)
                if request.path == LIST
                else DESIGN.fullmatch(request.path) is not None
            )
        )

    def is_wanted(self) -> bytes:
        """Go on with the body, for which the application has asked; return what to send to the client first."""
        self.request.must_close = self.closes
        self.since = time.monotonic()
        waits = self.expects_continue and not self.kept and not self.buffer
        return b"HTTP/1.1 100 Continue\r\n\r\n" if waits else b""


def is_quick_list(query: str) -> bool:
    """Whether a list of designs is mostly read in no time: without a search, in an order that no like or view changes.

    Where it is not, because nobody has asked for it since the catalogue changed, the catalogue says so.
    """
    return all(map(QUICK_PARAMETER.fullmatch, query.split("&")))


def time_for(count: int) -> float:
    """Return the seconds within which so many bytes must have come, if more are to come."""
    return min(BODY_SECONDS, BODY_GRACE + count / BODY_RATE)


def be_strict(request: Request) -> None:
    """Do what gunicorn leaves to applications. Raises Refusal for a transfer coding beside chunked."""
    request.version = min(request.version, SPOKEN)  # that of the answer: RFC 9110, section 2.5
    for name, value in request.headers:
        if name == "TRANSFER-ENCODING" and value.strip(" \t").lower() != "chunked":
            raise Refusal(501)
        if name == "CONNECTION" and CLOSE.search(value):
            request.force_close()  # RFC 9112, section 9.6: whatever else the list names


def check_address(head: bytes | bytearray) -> None:
    """Raise Refusal if the request's address is too long."""
    parts = head[: MOST_ADDRESS + 100].lstrip(b"\r\n").partition(b"\r\n")[0].split(b" ", 2)
    if len(parts) > 1 and len(parts[1]) > MOST_ADDRESS:
        raise Refusal(414)
