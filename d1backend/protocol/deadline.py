"""HTTP connections whose answer must be there, whole, before a deadline.

urllib3's read timeout limits each wait for the next bytes, so a server that drips may take any time.
"""

import io
import socket
import time
from contextlib import suppress
from http.client import HTTPResponse
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class _DeadlineReader(io.RawIOBase):
    """Reads from a socket until a deadline (time.monotonic()); then raises TimeoutError."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: float) -> None:
        self._raw, self._sock, self._deadline = raw, sock, deadline
        self._timeout = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
            with suppress(OSError):
                # For the next request on the same connection; it may be closed.
                self._sock.settimeout(self._timeout)
        super().close()


class _Response(HTTPResponse):
    """An answer; the socket's timeout runs from the moment the request has been sent to the last byte."""

    def __init__(
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        timeout = sock.gettimeout()
        if timeout is not None:
            # http.client reads all of an answer, its status line included, through `fp`.
            self.fp = io.BufferedReader(_DeadlineReader(self.fp.detach(), sock, time.monotonic() + timeout))


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection
