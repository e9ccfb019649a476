"""The end of a body is found wherever its bytes are cut, and is where gunicorn's own parser finds it."""

import itertools

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import ParseException
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader
from hypothesis import given
from hypothesis import strategies as st

from gallery_project.wire.framing import framing_of

CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
NEXT = b"GET / HTTP/1.1\r\n\r\n"


def request_of(head, *body):
    return Request(Config(), IterUnreader([head, *body]), ("127.0.0.1", 1))


def taken(head, wire, cuts=()):
    """The body, the bytes that are left, and whether the body has ended, if `wire` comes cut at these places."""
    framing, buffer, body = framing_of(request_of(head)), bytearray(), b""
    places = sorted({cut % (len(wire) + 1) for cut in cuts} | {0, len(wire)})
    for start, end in itertools.pairwise(places):
        buffer += wire[start:end]
        body += framing.take(buffer)
        while framing.pauses:
            body += framing.take(buffer)
    return body, bytes(buffer), framing.done


def encoded(chunks, extension, trailers):
    body = b"".join(b"%X%s\r\n%s\r\n" % (len(chunk), extension, chunk) for chunk in chunks)
    return body + b"000\r\n" + trailers + b"\r\n"


cuts = st.lists(st.integers(0, 10_000), max_size=30)
chunks = st.lists(st.binary(min_size=1, max_size=300), max_size=10)


@given(
    chunks,
    st.sampled_from([b"", b";a", b" ; a=b", b';a="b;c";d']),
    st.sampled_from([b"", b"X-Sum: 1\r\n", b"A: b\r\nC: d\r\n"]),
    cuts,
)
def test_a_body_in_chunks(chunks, extension, trailers, cuts):
    wire = encoded(chunks, extension, trailers) + NEXT
    assert taken(CHUNKED, wire, cuts) == (b"".join(chunks), NEXT, True)


@given(chunks, cuts)
def test_a_body_in_chunks_that_has_not_ended(chunks, cuts):
    wire = encoded(chunks, b"", b"")[:-1]
    assert taken(CHUNKED, wire, cuts)[2] is False


@given(st.binary(max_size=500), cuts)
def test_a_body_of_known_length(body, cuts):
    head = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert taken(head, body + NEXT, cuts) == (body, NEXT, True)


def as_gunicorn_reads(wire):
    request = request_of(CHUNKED, wire)
    body = request.body.read()
    return body, request.unreader.take_buffered()


pieces = st.sampled_from(
    [
        b"\r\n",
        b"\r",
        b"\n",
        b"0",
        b"1",
        b"a",
        b"5",
        b";",
        b" ",
        b"=",
        b"\t",
        b'"',
        b"x",
        b"A: b",
        b"-",
        b"\x00",
    ]
)


@given(st.lists(pieces, max_size=14).map(b"".join), cuts)
def test_whatever_comes_is_read_as_gunicorn_reads_it_or_refused(wire, cuts):
    try:
        body, left, done = taken(CHUNKED, wire, cuts)
    except ParseException:
        return
    if done:
        assert (body, left) == as_gunicorn_reads(wire)


@pytest.mark.parametrize(
    "wire",
    [
        b"\r\n",
        b"g\r\n",
        b"-1\r\n",
        b"0x1\r\n",
        b"1_0\r\n",
        b" 1\r\n",
        b"1 \r\n",
        b"1\n",
        b"1\r\naX",
        b"1\r\na\rX",
        b"1;=\r\n",
        b'1;a="b\r\n',
        b"f" * 17 + b"\r\n",
        b"1;" + b"a" * 5000,
        b"0\r\nno colon\r\n\r\n",
        b"0\r\nContent-Length: 1\r\n\r\n",
        b"0\r\n" + b"A: b\r\n" * 1000,
    ],
)
def test_broken_framing_is_refused(wire):
    with pytest.raises(ParseException):
        taken(CHUNKED, wire, range(len(wire)))


def test_many_tiny_chunks_are_refused_and_short_ones_are_not():
    """Each chunk costs the loop as much as a kilobyte of a body."""
    assert taken(CHUNKED, encoded([b"a"] * 10_000, b"", b""))[2]
    assert taken(CHUNKED, encoded([b"123456"] * 30_000, b"", b""))[2]
    with pytest.raises(ParseException):
        taken(CHUNKED, encoded([b"a"] * 20_000, b"", b""))
