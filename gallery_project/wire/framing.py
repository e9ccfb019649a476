"""Where a body ends, found as its bytes arrive: RFC 9112, sections 6 and 7.1."""

from enum import Enum, auto
from typing import Protocol

from gunicorn.http.body import CHUNK_EXT_RE, ChunkedReader
from gunicorn.http.errors import (
    ChunkMissingTerminator,
    InvalidChunkExtension,
    InvalidChunkSize,
    LimitRequestHeaders,
)
from gunicorn.http.message import Request

MOST_LINE = 4096  # bytes of a chunk's size with its extensions, and of all trailers
MOST_FRAME = 64 * 1024  # bytes of chunks' sizes, extensions and ends, beyond those of the body itself
MOST_STEPS = 600  # parts of chunks that are taken in one turn, within a millisecond: a chunk has three
HEX = frozenset(b"0123456789abcdefABCDEF")


class Framing(Protocol):
    """`done`: whether the body has ended; `length`: its bytes, if it was announced.

    `pauses`: whether take() left something in the buffer for later, so that other connections have their turn.
    """

    done: bool
    pauses: bool
    length: int | None

    def take(self, buffer: bytearray) -> bytes:
        """Return the bytes of the body at the start of the buffer, and remove them with their frame."""


def framing_of(request: Request) -> Framing:
    """Return how the body of a request ends, which gunicorn has read from its head."""
    reader = request.body.reader
    return Chunked(request) if isinstance(reader, ChunkedReader) else Sized(reader.length)


class Sized:
    """A body with Content-Length, or none."""

    pauses = False

    def __init__(self, length: int) -> None:
        self.length: int | None = length
        self.left = length
        self.done = length == 0

    def take(self, buffer: bytearray) -> bytes:
        data = bytes(buffer[: self.left])
        del buffer[: self.left]
        self.left -= len(data)
        self.done = self.left == 0
        return data


class Expects(Enum):
    SIZE = auto()
    DATA = auto()
    END_OF_CHUNK = auto()
    TRAILERS = auto()


class Chunked:
    """A body with Transfer-Encoding: chunked. take() raises gunicorn's exceptions where its frame is broken."""

    def __init__(self, request: Request) -> None:
        self.length: int | None = None
        self.request = request
        self.expects = Expects.SIZE
        self.left = 0  # bytes of this chunk
        self.taken = self.frame = 0  # bytes of all chunks, and of what is around them
        self.trailers = bytearray()
        self.done = self.pauses = False

    def take(self, buffer: bytearray) -> bytes:
        data = bytearray()
        for _ in range(MOST_STEPS):
            if self.done or not self.step(buffer, data):
                self.pauses = False
                break
        else:
            self.pauses = True
        return bytes(data)

    def step(self, buffer: bytearray, data: bytearray) -> bool:
        """Go on by one part of the frame. Returns whether the buffer had enough for it."""
        if self.expects is Expects.DATA:
            piece = buffer[: self.left]
            del buffer[: self.left]
            data += piece
            self.left -= len(piece)
            self.expects = Expects.DATA if self.left else Expects.END_OF_CHUNK
            return not self.left
        if self.expects is Expects.END_OF_CHUNK:
            if not b"\r\n".startswith(buffer[:2]):
                raise ChunkMissingTerminator(bytes(buffer[:2]))
            if len(buffer) < 2:
                return False
            del buffer[:2]
            self.expects = Expects.SIZE
            return True
        line = line_of(buffer)
        if line is None:
            return False
        if self.expects is Expects.TRAILERS:
            self.trailer(line)
        else:
            self.left = size_of(line)
            self.count(len(line))
            self.expects = Expects.DATA if self.left else Expects.TRAILERS
        return True

    def count(self, line: int) -> None:
        """Count a chunk. Raises InvalidChunkSize for many tiny ones, which would keep the loop busy."""
        self.frame += line + 4
        self.taken += self.left
        if self.frame > MOST_FRAME + self.taken:
            raise InvalidChunkSize(b"more frame than data")

    def trailer(self, line: bytes) -> None:
        if line:
            self.trailers += line + b"\r\n"
            if len(self.trailers) > MOST_LINE:
                raise LimitRequestHeaders("the trailers are too long")
            return
        if self.trailers:
            # Checked, and dropped: nothing here asks for any.
            self.request.parse_headers(bytes(self.trailers[:-2]), from_trailer=True)
        self.done = True


def line_of(buffer: bytearray) -> bytes | None:
    """Return the line at the start of the buffer, and remove it; None if it has not ended yet."""
    end = buffer.find(b"\r\n", 0, MOST_LINE)
    if buffer.find(b"\n", 0, end if end >= 0 else MOST_LINE) >= 0:
        raise InvalidChunkSize(b"a bare LF ends the line")
    if end < 0:
        if len(buffer) >= MOST_LINE:
            raise InvalidChunkSize(b"the line is too long")
        return None
    line = bytes(buffer[:end])
    del buffer[: end + 2]
    return line


def size_of(line: bytes) -> int:
    """Return the size that a chunk begins with. Raises InvalidChunkSize or InvalidChunkExtension."""
    digits, semicolon, extension = line.partition(b";")
    if semicolon:
        digits = digits.rstrip(b" \t")
    if not 0 < len(digits) <= 16 or not HEX.issuperset(digits):
        raise InvalidChunkSize(digits[:20])
    if semicolon and not CHUNK_EXT_RE.fullmatch(semicolon + extension):
        raise InvalidChunkExtension("not of RFC 9112's form")
    return int(digits, 16)
