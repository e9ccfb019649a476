"""Stands before an S3 server: refuses what R2 refuses, and fails on command."""

import http.client
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

# https://developers.cloudflare.com/r2/api/s3/api/ lists what is not implemented.
REFUSED_HEADERS = ("x-amz-acl", "x-amz-tagging", "x-amz-checksum-", "x-amz-sdk-checksum-", "x-amz-grant-")

Fault = Callable[[str, str], str]


class StoreProxy:
    """`fault(method, path)` answers "" or what goes wrong with that request:

    "refuse" (500), "throttle" (429), "hang" (no answer), "cut" (the connection is closed before the request
    is passed on), "lose" (the request is carried out, its answer lost). `requests` lists (method, path).
    """

    def __init__(self, target: str):
        self.target = urlsplit(target).netloc
        self.requests: list[tuple[str, str]] = []
        self.refusals: list[str] = []
        self.fault: Fault = no_fault
        self.stopped = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(self))
        self.server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self.stopped.set()
        self.server.shutdown()
        self.server.server_close()

    def reset(self) -> None:
        self.fault = no_fault
        self.requests.clear()
        self.refusals.clear()

    def refusal(self, method: str, path: str, headers) -> str:
        """Why R2 would refuse the request; empty where it would not."""
        if method == "POST":
            return "POST"
        names = {name.lower() for name in headers} | {name.lower() for name in parse_qs(urlsplit(path).query)}
        bad = [name for name in names if name.startswith(REFUSED_HEADERS)]
        if "aws-chunked" in headers.get("Content-Encoding", "") or "STREAMING" in headers.get(
            "x-amz-content-sha256", ""
        ):
            bad.append("aws-chunked")
        return ", ".join(bad)


def no_fault(method: str, path: str) -> str:
    return ""


def handler_of(proxy: StoreProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def pass_on(self):
            proxy.requests.append((self.command, self.path))
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if why := proxy.refusal(self.command, self.path, self.headers):
                proxy.refusals.append(why)
                return self.answer(501, {}, b"<Error><Code>NotImplemented</Code></Error>")
            fault = proxy.fault(self.command, self.path)
            if fault == "refuse":
                return self.answer(500, {}, b"<Error><Code>InternalError</Code></Error>")
            if fault == "throttle":
                return self.answer(429, {}, b"<Error><Code>TooManyRequests</Code></Error>")
            if fault == "hang":
                proxy.stopped.wait(60)
            if fault in ("hang", "cut"):
                self.close_connection = True
                return None
            status, headers, content = self.forwarded(body)
            if fault == "lose":
                self.close_connection = True
                return None
            return self.answer(status, headers, content)

        def forwarded(self, body):
            """The server's answer; the Host header stays, since it is signed."""
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

        def answer(self, status, headers, content):
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
        setattr(Handler, f"do_{method}", Handler.pass_on)
    return Handler


def fault_at(fault: str, method: str, part: str = "", *, after: int = 0) -> Fault:
    """The fault for each request of the method whose path holds `part`, once `after` of them passed."""
    lock, seen = threading.Lock(), 0

    def decide(asked: str, path: str) -> str:
        nonlocal seen
        if asked != method or part not in path:
            return ""
        with lock:
            seen += 1
            return fault if seen > after else ""

    return decide


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("It did not happen.")
        time.sleep(0.01)
