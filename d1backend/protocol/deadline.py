"""HTTP connections whose answer must be there, whole, before a deadline.

urllib3's read timeout limits each wait for the next bytes, so a server that drips may take any time.
"""

import io
import socket
import ssl
import time
from contextlib import suppress
from functools import cache
from http.client import HTTPResponse
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import Url
from urllib3.util.ssl_ import create_urllib3_context


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


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


def pool_of(url: Url) -> HTTPConnectionPool:
    """One connection to the host of an address, which is opened when it is used, and again where it was closed."""
    host = url.host or ""
    if url.scheme == "https":
        return _SecurePool(host, url.port, maxsize=1, retries=False, ssl_context=_trust())
    return _Pool(host, url.port, maxsize=1, retries=False)


@cache
def _trust() -> ssl.SSLContext:
    """The certificates that this process trusts: each connection would take 40 ms to read them, and a megabyte."""
    context = create_urllib3_context()
    context.load_default_certs()
    return context
