"""An answer that the client reads slowly is kept, in order, and nobody waits."""

import socket
import time

import pytest

from gallery_project.wire.outbox import MOST_HELD, Outbox
from gallery_project.wire.spool import Kept, Spool, SpoolFullError


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path, most=4_000_000)


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    with ours, theirs:
        yield ours, theirs


def read(sock: socket.socket) -> bytes:
    found = bytearray()
    try:
        while data := sock.recv(65536):
            found += data
    except BlockingIOError:
        pass
    return bytes(found)


def read_all(outbox: Outbox, sock: socket.socket) -> bytes:
    found = b""
    while not outbox.push(1):
        found += read(sock)
    return found + read(sock)


def test_head_and_body_are_sent_at_once(pair, spool):
    outbox = Outbox(pair[0], spool)
    outbox.sendall(b"head")
    assert read(pair[1]) == b""
    outbox.sendall(b"body")
    assert outbox.push()
    assert read(pair[1]) == b"headbody"


def test_what_the_client_does_not_read_is_kept_and_nobody_waits(pair, spool):
    outbox = Outbox(pair[0], spool)
    parts = [bytes([at]) * 100_000 for at in range(20)]
    begun = time.monotonic()
    for part in parts:
        outbox.sendall(part)
    assert not outbox.push()
    assert time.monotonic() - begun < 5
    assert 0 < spool.kept < 2_000_000
    assert read_all(outbox, pair[1]) == b"".join(parts)
    assert spool.kept == 0


def test_files_stay_in_their_place_and_may_be_closed_by_the_caller(pair, spool, tmp_path):
    (tmp_path / "picture").write_bytes(b"ab" * 1_000_000)
    outbox = Outbox(pair[0], spool)
    outbox.sendall(b"head")
    with open(tmp_path / "picture", "rb") as file:
        outbox.sendfile(file, 1, 1_500_001)
        assert not outbox.push()
    outbox.sendall(b"tail" * MOST_HELD)
    found = read_all(outbox, pair[1])
    assert found == b"head" + (b"ab" * 1_000_000)[1:1_500_002] + b"tail" * MOST_HELD


def test_a_file_that_became_shorter_ends_the_answer(pair, spool, tmp_path):
    (tmp_path / "picture").write_bytes(b"ab")
    outbox = Outbox(pair[0], spool)
    with open(tmp_path / "picture", "rb") as file, pytest.raises(OSError, match="shorter"):
        outbox.sendfile(file, 0, 3)


def test_a_client_that_is_gone_is_an_error(pair, spool):
    outbox = Outbox(pair[0], spool)
    pair[1].close()
    outbox.sendall(b"a")
    with pytest.raises(OSError):  # noqa: PT011  EPIPE or ECONNRESET
        outbox.push()


def test_the_spool_ends_an_answer_and_gets_its_bytes_back(pair, spool):
    outbox = Outbox(pair[0], spool)
    with pytest.raises(SpoolFullError):
        outbox.sendall(bytes(10_000_000))
    outbox.close()
    assert spool.kept == 0
    kept = Kept(spool)
    kept.write(b"a" * 10)
    assert spool.kept == 10
    kept.close()
    kept.close()
    assert spool.kept == 0
