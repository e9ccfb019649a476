"""The soak's client repeats what docs/api.md says that an app repeats, and knows what may have been done."""

import asyncio

import orjson
import pytest

from benchmarks.soak.client import Answer, Client, Log, without_chunks


def answer(status, code=""):
    head = f"HTTP/1.1 {status} X\r\nRetry-After: 0".encode()
    return Answer("like", "soak-1", 0, 0, status, head, orjson.dumps({"code": code}) if status else b"")


REFUSED, UNKNOWN, BROKEN = answer(503, "unavailable"), answer(503, "outcome_unknown"), answer(0)
DONE, BUSY = answer(200), answer(429, "too_many_requests")


@pytest.fixture
def tried(monkeypatch):
    """A function that lets a client try until the last of some answers; it returns what the client knows then."""
    client = Client("http://127.0.0.1:1", Log())

    async def no_pause(answer, tries):
        pass

    monkeypatch.setattr(client, "pause", no_pause)

    def tried(*answers, seconds=60.0, **how):
        left = list(answers)

        async def once():
            return left.pop(0)

        found = asyncio.run(client.patiently("like", once, seconds, **how))
        assert left == []
        return found

    return tried


def test_refusals_and_broken_connections_are_tried_again(tried):
    assert tried(REFUSED, BUSY, DONE) == (DONE, False)
    assert tried(BROKEN, DONE) == (DONE, True)
    assert tried(UNKNOWN, REFUSED, DONE) == (DONE, True)


def test_who_leaves_does_so_only_when_nothing_was_done(tried):
    assert tried(REFUSED, stays=False) == (REFUSED, False)
    assert tried(UNKNOWN, REFUSED, DONE, stays=False) == (DONE, True)


def test_patience_ends(tried):
    assert tried(UNKNOWN, seconds=-1) == (UNKNOWN, True)
    assert tried(REFUSED, seconds=-1) == (REFUSED, False)


def test_a_body_in_chunks_is_put_together():
    assert without_chunks(b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n") == b"abcde"


def test_connections_may_break_only_where_something_was_killed():
    async def ask():
        client = Client("http://127.0.0.1:1", Log())
        broken = await client.once("list", "GET", "/api/designs")
        return broken.status, client.log.violations

    status, violations = asyncio.run(ask())
    assert status == 0
    assert "the connection broke" in violations[0]
