"""The line of an answer, and for how long a request is the current one."""

import logging

import pytest
from django.http import StreamingHttpResponse
from django.test import RequestFactory

from core.logs.current import CURRENT
from core.request_log import request_log

pytestmark = pytest.mark.django_db


def fields_of(caplog):
    return [one.fields for one in caplog.records if one.name == "gallery.request"]


@pytest.fixture(autouse=True)
def _listen(caplog):
    caplog.set_level(logging.INFO, logger="gallery.request")


def test_an_answer_has_a_line_of_its_route(client, caplog):
    client.get("/api/designs/charulata")
    (fields,) = fields_of(caplog)
    assert (fields["method"], fields["route"], fields["status"]) == ("GET", "unmatched", 404)
    assert CURRENT.get() is None


def test_a_health_check_has_a_line_only_when_it_fails(client, caplog):
    client.get("/health/live")
    assert fields_of(caplog) == []
    client.post("/health/live")
    assert [fields["status"] for fields in fields_of(caplog)] == [405]


def test_an_exception_ends_the_request_too():
    def fail(request):
        assert CURRENT.get().request is request
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        request_log(fail)(RequestFactory().get("/"))
    assert CURRENT.get() is None


def test_a_request_that_runs_again_keeps_its_id():
    notes, seen = {}, []

    def answer(request):
        seen.append(CURRENT.get().request_id)
        return StreamingHttpResponse(iter([b"a"]))

    for _ in range(2):
        request = RequestFactory().get("/", **{"gallery.request": notes})
        request_log(answer)(request)
        CURRENT.set(None)  # as the worker does
    assert seen[0] == seen[1]


def test_the_parts_of_a_stream_are_made_for_the_request():
    seen = []

    def parts():
        seen.append(CURRENT.get().request_id)
        yield b"a"

    response = request_log(lambda request: StreamingHttpResponse(parts()))(RequestFactory().get("/"))
    assert CURRENT.get() is None
    assert b"".join(response) == b"a"
    assert seen == [response["X-Request-ID"]]


def streamed(parts):
    return request_log(lambda request: StreamingHttpResponse(parts))(RequestFactory().get("/"))


def test_a_stream_has_its_line_when_it_begins(caplog):
    response = streamed(iter([b"a", b"b"]))
    assert fields_of(caplog) == []
    assert next(iter(response)) == b"a"
    assert [fields["status"] for fields in fields_of(caplog)] == [200]
    response.close()
    assert len(fields_of(caplog)) == 1


def test_a_stream_of_which_nobody_takes_a_part_has_a_line(caplog):
    for response in (streamed(iter([])), streamed(iter([b"a"]))):
        response.close()
    assert [fields["status"] for fields in fields_of(caplog)] == [200, 200]


def test_a_stream_that_fails_before_its_first_part_leaves_the_line_to_the_server(caplog):
    def parts():
        raise ValueError
        yield b""

    response = streamed(parts())
    with pytest.raises(ValueError):  # noqa: PT011  it has no words
        b"".join(response)
    response.close()
    assert fields_of(caplog) == []
