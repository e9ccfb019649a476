"""An answer on its way. Nobody waits for a client that reads slowly: a thread leaves the rest to the loop."""

import errno
import os
import socket
from collections import deque
from typing import IO, NoReturn

from gallery_project.wire.spool import Kept, Spool

MOST_HELD = 64 * 1024  # bytes that are collected: gunicorn writes a head and its body apart
PIECE = 128 * 1024  # bytes of a file that are sent at once


class Rest:
    """`left` bytes of a file, from `at` on, that the client has not taken yet."""

    def __init__(self, file: IO[bytes], at: int, left: int) -> None:
        self.file, self.at, self.left = file, at, left

    def send(self, fd: int) -> None:
        """Send a piece. Raises BlockingIOError if the client takes nothing now, and OSError if it is gone."""
        self.file.seek(self.at)
        data = self.file.read(min(PIECE, self.left))
        if not data:
            raise OSError(errno.EIO, "The file of an answer has become shorter.")
        sent = os.write(fd, data)
        self.at += sent
        self.left -= sent


class Outbox:
    """What gunicorn writes an answer to, in place of the connection's socket, which must not block."""

    def __init__(self, sock: socket.socket, spool: Spool) -> None:
        self.fd, self.spool = sock.fileno(), spool
        self.held = bytearray()
        self.rests: deque[Rest] = deque()

    def sendall(self, data: bytes) -> None:
        """Take a part of the answer. Raises OSError if the client is gone or the spool takes no more."""
        self.held += data
        if len(self.held) >= MOST_HELD:
            self.push()

    def sendfile(self, file: IO[bytes], offset: int, count: int) -> None:
        """Take a part of a file, which the caller may close at once."""
        self.keep()
        own = os.fdopen(os.dup(file.fileno()), "rb", buffering=0)
        self.rests.append(Rest(own, offset, count))
        self.push()

    def shutdown(self, how: int) -> NoReturn:
        """Refuse: gunicorn ends the connection of an answer that broke off, but here the loop does."""
        raise OSError(errno.ENOTCONN, "The loop ends connections.")

    def close(self) -> None:
        """Let go of what has not been sent."""
        for rest in self.rests:
            rest.file.close()
        self.rests.clear()
        self.held.clear()

    def push(self, most: int = 0) -> bool:
        """Send what the client takes now, of files at most so many pieces. Return whether that was all.

        Raises OSError if the client is gone.
        """
        pieces = 0
        try:
            while self.rests and not (most and pieces == most):
                self.rests[0].send(self.fd)
                pieces += 1
                if not self.rests[0].left:
                    self.rests.popleft().file.close()
            while self.held and not self.rests:
                del self.held[: os.write(self.fd, self.held)]
        except BlockingIOError:
            pass
        self.keep()
        return not self.rests

    def keep(self) -> None:
        """Add what is held to what is left."""
        if not self.held:
            return
        last = self.rests[-1] if self.rests else None
        if last is None or not isinstance(last.file, Kept):
            last = Rest(Kept(self.spool), 0, 0)
            self.rests.append(last)
        last.file.seek(0, os.SEEK_END)
        last.file.write(self.held)
        last.left += len(self.held)
        self.held.clear()
