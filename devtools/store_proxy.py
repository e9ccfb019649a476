"""A proxy in front of an S3 server that rejects what R2 rejects, and fails on command."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

# R2 does not implement these: https://developers.cloudflare.com/r2/api/s3/api/
REFUSED_HEADERS = ("x-amz-acl", "x-amz-tagging", "x-amz-checksum-", "x-amz-sdk-checksum-", "x-amz-grant-")

Fault = Callable[[str, str], str]
Answer = tuple[int, dict[str, str], bytes]  # the status, the headers and the body


class StoreProxy:
    """`fault(method, path)` returns "" or the fault of that request:

    "refuse" (500), "throttle" (429), "hang" (no answer), "cut" (closes the connection and does not forward the
    request), "lose" (forwards the request and drops the answer). `requests` lists (method, path).
    """

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target).netloc
        self.requests: list[tuple[str, str]] = []
        self.refusals: list[str] = []
        self.fault: Fault = no_fault
        self.idle = threading.Condition()
        self.in_flight = 0
        self.released = threading.Event()
        self.is_up = False
        self.port = 0
        self.come_up()
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def come_up(self) -> None:
        """Listen, after go_down() again on the same port."""
        if not self.is_up:
            self.server = ThreadingHTTPServer(("127.0.0.1", self.port), handler_of(self))
            self.server.daemon_threads = True
            self.port = self.server.server_port
            threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
            self.is_up = True

    def go_down(self) -> None:
        """Refuse new connections until come_up(). Open ones go on: a `fault` is for them."""
        if self.is_up:
            self.is_up = False
            self.server.shutdown()
            self.server.server_close()

    def stop(self) -> None:
        self.released.set()
        self.go_down()

    def reset(self) -> None:
        """Forget the fault and all requests, once those that a client gave up have ended: a late PUT writes, too."""
        self.fault = no_fault
        self.released.set()
        with self.idle:
            self.idle.wait_for(lambda: not self.in_flight)
        self.released.clear()
        self.requests.clear()
        self.refusals.clear()

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Counts a request as in flight."""
        with self.idle:
            self.in_flight += 1
        try:
            yield
        finally:
            with self.idle:
                self.in_flight -= 1
                self.idle.notify_all()

    def refusal(self, method: str, path: str, headers: Message) -> str:
        """Return why R2 would reject the request, or ""."""
        if method == "POST":
            return "POST"
        names = {name.lower() for name in headers} | {name.lower() for name in parse_qs(urlsplit(path).query)}
        bad = [name for name in names if name.startswith(REFUSED_HEADERS)]
        if "aws-chunked" in headers.get("Content-Encoding", "") or "STREAMING" in headers.get(
            "x-amz-content-sha256", ""
        ):
            bad.append("aws-chunked")
        return ", ".join(bad)


ERRORS = {"refuse": (500, "InternalError"), "throttle": (429, "TooManyRequests")}


def no_fault(method: str, path: str) -> str:
    return ""


def handler_of(proxy: StoreProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: str) -> None:
            pass

        def forward(self) -> None:
            with proxy.counted():
                self.answer_or_fail()

        def answer_or_fail(self) -> None:
            proxy.requests.append((self.command, self.path))
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if why := proxy.refusal(self.command, self.path, self.headers):
                proxy.refusals.append(why)
                self.answer(501, {}, b"<Error><Code>NotImplemented</Code></Error>")
                return
            fault = proxy.fault(self.command, self.path)
            if fault in ERRORS:
                status, code = ERRORS[fault]
                self.answer(status, {}, f"<Error><Code>{code}</Code></Error>".encode())
                return
            if fault == "hang":
                proxy.released.wait(60)
            answer = self.answer_of_server(body) if fault in ("", "lose") else None
            if fault or answer is None:
                self.close_connection = True
            else:
                self.answer(*answer)

        def answer_of_server(self, body: bytes) -> Answer:
            """Forward the request with its Host header, which is signed."""
            connection = http.client.HTTPConnection(proxy.target, timeout=20)
            try:
                connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    connection.putheader(name, value)
                connection.endheaders(body or None)
                response = connection.getresponse()
                return response.status, dict(response.getheaders()), response.read()
            finally:
                connection.close()

        def answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                    self.send_header(name, value)
            length = headers.get("Content-Length") if self.command == "HEAD" else None
            self.send_header("Content-Length", length or str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

    for method in ("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"):
        setattr(Handler, f"do_{method}", Handler.forward)
    return Handler


def fault_at(fault: str, method: str, part: str = "", *, after: int = 0) -> Fault:
    """Return the fault for each request with that method and `part` in its path, after the first `after` ones."""
    lock, seen = threading.Lock(), 0

    def decide(asked: str, path: str) -> str:
        nonlocal seen
        if asked != method or part not in path:
            return ""
        with lock:
            seen += 1
            return fault if seen > after else ""

    return decide
