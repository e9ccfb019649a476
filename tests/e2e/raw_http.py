"""HTTP as it goes over the wire: a socket, the bytes that are sent, the responses that come."""

import http.client
import io
import json
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self):
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return self.json()["code"]

    @property
    def closes(self) -> bool:
        return self.headers["Connection"] == "close"


class Wire:
    """One connection to a server."""

    def __init__(self, server, timeout: float = 30) -> None:
        address = urlsplit(server.address)
        self.host = address.netloc
        self.socket = socket.create_connection((address.hostname, address.port), timeout=timeout)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.socket.close()

    def head(self, method: str, path: str, *headers: str, version: str = "1.1") -> bytes:
        lines = [f"{method} {path} HTTP/{version}", f"Host: {self.host}", *headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def send(self, data: bytes) -> "Wire":
        self.socket.sendall(data)
        return self

    def ask(self, method: str, path: str, *headers: str, body: bytes = b"", version: str = "1.1") -> Answer:
        """Send a request as a polite client does, all of it before the response is read."""
        length = [f"Content-Length: {len(body)}"] if body else []
        self.send(self.head(method, path, *length, *headers, version=version)).send(body)
        return self.answer(method)

    def answer(self, method: str = "GET") -> Answer:
        """Read one response, and no byte more."""
        response = http.client.HTTPResponse(OneByOne(self.socket), method=method)
        response.begin()
        return Answer(response.status, response.headers, response.read())

    def ended(self) -> bool:
        """Return whether the server has ended the connection, in order and without another byte."""
        return self.socket.recv(1) == b""


class OneByOne:
    """A socket for http.client, whose own buffer would take the beginning of the next response."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock

    def makefile(self, mode: str):
        return Whole(self.socket.makefile(mode, buffering=0))


class Whole(io.RawIOBase):
    """A file without a buffer that reads as much as it is asked for."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self.raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        view, count = memoryview(buffer), 0
        while count < len(view) and (read := self.raw.readinto(view[count:])):
            count += read
        return count

    def close(self) -> None:
        self.raw.close()
        super().close()


def chunk(data: bytes, extension: str = "") -> bytes:
    return f"{len(data):x}{extension}\r\n".encode() + data + b"\r\n"
