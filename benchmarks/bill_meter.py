"""A meter between a host and D1: requests, and the rows read and written that D1's answers report for the bill.

It stands outside the host, so it counts what any thread or process of the host asks, in whatever version of the code.
"""

import http.client
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from benchmarks.bill_model import Cost

PASSED_ON = ("authorization", "content-type")


class Meter:
    """A proxy to the D1 at `upstream`, as a context manager. `url` is its address.

    `log` has the time (time.monotonic()) and the cost of each request. An answer that is an error reports no rows.
    """

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream)
        self.log: list[tuple[float, Cost]] = []
        self.database_bytes = 0
        meter = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                self.engine = http.client.HTTPConnection(meter.upstream.netloc, timeout=120)

            def finish(self) -> None:
                super().finish()
                self.engine.close()

            def pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
                self.engine.request(self.command, self.path, body, headers)
                response = self.engine.getresponse()
                answer = response.read()
                meter.note(answer)
                self.send_response(response.status)
                self.send_header("Content-Type", response.headers.get("Content-Type", "application/json"))
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = do_DELETE = pass_on  # noqa: N815  the library's names

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: the answers are the log."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}{self.upstream.path}"

    @property
    def total(self) -> Cost:
        return sum((cost for _, cost in list(self.log)), Cost())

    def note(self, answer: bytes) -> None:
        """Add an answer of D1 to the log."""
        result = json.loads(answer).get("result")
        metas = [part.get("meta") or {} for part in result] if isinstance(result, list) else []
        read = sum(meta.get("rows_read", 0) for meta in metas)
        written = sum(meta.get("rows_written", 0) for meta in metas)
        self.database_bytes = max([self.database_bytes, *(meta.get("size_after", 0) for meta in metas)])
        self.log.append((time.monotonic(), Cost(1, read, written)))

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, name="meter", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()
