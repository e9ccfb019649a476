"""How a line of the log is written, and what is taken out of it."""

import json
import logging

import pytest
from django.http import HttpRequest, QueryDict
from hypothesis import given
from hypothesis import strategies as st

from core.logs import configuration, hiding
from core.logs.current import CURRENT, Current, Pieces, in_request
from core.logs.foreign import reworded
from core.logs.formatters import JsonFormatter, LinesFormatter

ANY_TEXT = st.text(st.characters(), max_size=60) | st.sampled_from(
    ["\n", "\r\n", "\u2028", "\x85", "\x1b[2J", "\ud800"]
)


def record(message="", *arguments, level=logging.INFO, name="core.somewhere", error=None, **fields):
    exc_info = None if error is None else (type(error), error, error.__traceback__)
    made = logging.LogRecord(name, level, "", 0, message, arguments, exc_info)
    if fields:
        made.fields = fields
    return made


def raised(error):
    try:
        raise error
    except type(error) as caught:
        return caught


@pytest.fixture
def request_(rf):
    """Work for a request as POST /?search=paisley with a body."""
    request = rf.post(
        "/?search=paisley", HTTP_AUTHORIZATION="Bearer abc123token", HTTP_COOKIE="gallery=biscuit"
    )
    request._body = json.dumps({"contact": "98450 12345", "deep": [{"full_name": 'Meera "Rao"'}]}).encode()
    request._post = QueryDict("username=charulata")
    token = CURRENT.set(Current("id-1", request, 7))
    yield request
    CURRENT.reset(token)


@given(ANY_TEXT, ANY_TEXT)
def test_json_is_one_line_of_ascii_whatever_is_said(message, value):
    line = JsonFormatter().format(record("%s", message, error=raised(ValueError(value)), name=value or "x"))
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert json.loads(line)["level"] == "INFO"


@given(ANY_TEXT, ANY_TEXT)
def test_every_further_line_for_people_is_marked_as_one(message, value):
    text = LinesFormatter().format(record("%s", message, error=raised(ValueError(value)), field=value))
    first, *others = text.splitlines()
    assert " INFO core.somewhere " in first
    assert all(line.startswith("    | ") for line in others)


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("Authorization: Bearer abcdef.ghijkl", "Authorization: Bearer [hidden]"),
        ("got eyJhbGciOiJI.eyJ1c2VyX2lk.c2ln", "got [hidden]"),
        (
            "PUT /k?X-Amz-Signature=0a1b&X-Amz-Date=2026 failed",
            "PUT /k?X-Amz-Signature=[hidden]&X-Amz-Date=[hidden] failed",
        ),
        ("/media/a?ticket=abc:def&x=1", "/media/a?ticket=[hidden]&x=1"),
        ('{"new_password": "a\\"b", "x": 1}', '{"new_password": \'[hidden]\', "x": 1}'),
        ("{'refresh_token': 'abc'}", "{'refresh_token': '[hidden]'}"),
        ("redis://:pass@host/0 is away", "redis://[hidden]@host/0 is away"),
        ("GET /api/designs/{design_id} 200", "GET /api/designs/{design_id} 200"),
        ("The replica replica waits: 3 of 5", "The replica replica waits: 3 of 5"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(said, written):
    assert hiding.hide(said) == written


def test_values_of_variables_named_like_secrets_are_hidden(monkeypatch):
    known = hiding.KnownSecrets()
    known.add_variables(
        {"CLOUDFLARE_API_TOKEN": "long-and-plain", "ACCESS_TOKEN_MINUTES": "3000000000", "HOME": "/home/x/y"}
    )
    monkeypatch.setattr(hiding, "known", known)
    assert hiding.hide("long-and-plain 3000000000 /home/x/y") == "[hidden] 3000000000 /home/x/y"


def test_an_exception_quotes_nothing_that_the_client_sent(request_):
    quoted = 'paisley 98450 12345 Meera "Rao" charulata Charulata abc123token biscuit'
    line = JsonFormatter().format(record("oh", error=raised(ValueError(quoted, [quoted]))))
    for value in ("paisley", "98450", "Rao", "harulata", "abc123token", "biscuit"):
        assert value not in line
    assert json.loads(line)["request_id"] == "id-1"
    assert json.loads(line)["user_id"] == 7


@pytest.mark.parametrize(
    ("made", "value"),
    [
        (lambda rf: rf.get("/?0123456789abcdef01234567"), "0123456789abcdef01234567"),  # a token and no name
        (lambda rf: rf.get("/?page=1&K7QM-2XPA"), "K7QM-2XPA"),  # a reset code
        (lambda rf: rf.get("/?0123456789abcdef0123=1"), "0123456789abcdef0123"),
        (lambda rf: rf.get("/?a=charulata&a=meera"), "charulata"),
        (lambda rf: rf.get("/elsewhere/0123456789abcdef01234567"), "0123456789abcdef01234567"),
        (lambda rf: rf.get("/", HTTP_X_API_KEY="charulata"), "charulata"),
        (lambda rf: rf.get("/", HTTP_REFERER="https://a.example/charulata"), "charulata"),
        (lambda rf: rf.get("/", HTTP_IDEMPOTENCY_KEY="charulata"), "charulata"),
        (lambda rf: with_body(rf, b'{"0123456789abcdef01234567": 1}'), "0123456789abcdef01234567"),
        (lambda rf: with_body(rf, b'{"contact": 9845012345}'), "9845012345"),
        (lambda rf: with_body(rf, b"charulata, and no JSON"), "charulata"),
    ],
)
def test_a_traceback_quotes_no_part_of_a_request(rf, made, value):
    request = made(rf)
    token = CURRENT.set(Current("id-1", request))
    said = f"{request!r} {request.META} {request.__dict__.get('_body')!r}"
    line = JsonFormatter().format(record("oh", error=raised(ValueError(said))))
    CURRENT.reset(token)
    assert value in said
    assert value not in line


def with_body(rf, body):
    request = rf.post("/")
    request._body = body
    return request


def test_a_warning_quotes_nothing_that_the_client_sent(request_):
    assert "paisley" not in LinesFormatter().format(record("no %s", "paisley", level=logging.WARNING))


def ping(depth):
    if not depth:
        raise ValueError("the end")
    pong(depth - 1)


def pong(depth):  # two functions, because Python folds the frames of one that calls itself
    ping(depth)


def test_a_long_traceback_loses_its_middle():
    with pytest.raises(ValueError, match="the end") as caught:
        ping(80)
    line = json.loads(JsonFormatter().format(record("oh", error=caught.value)))
    assert len(line["traceback"]) < 6100
    assert line["traceback"].endswith("the end")


def test_a_line_that_cannot_be_written_says_so_and_no_more(capsys):
    handler = configuration.Handler()
    handler.setFormatter(JsonFormatter())
    handler.handle(record("%d", "the secret"))
    written = json.loads(capsys.readouterr().err)
    assert written["message"] == "a line of core.somewhere was not written: TypeError"


def test_of_csrf_only_the_reason_is_told():
    said = record(
        "Forbidden (%s): %s",
        "Origin checking failed - https://other.example does not match any trusted origins.",
        "/admin/login/",
        name="django.security.csrf",
    )
    assert reworded(said)
    assert said.getMessage() == "a request was refused: CSRF: Origin checking failed"


def test_no_line_of_django_repeats_the_request_log():
    assert not reworded(record("%s: %s", "Not Found", "/typed", name="django.request", level=logging.WARNING))
    failed = record(
        "%s: %s", "Internal Server Error", "/typed", name="django.request", error=raised(ValueError())
    )
    assert reworded(failed)
    assert "/typed" not in failed.getMessage()


def test_other_packages_never_log_at_debug():
    made = configuration.configuration("DEBUG", "json")
    assert made["root"]["level"] == "INFO"
    assert made["loggers"]["d1backend"]["level"] == "DEBUG"
    assert configuration.configuration("ERROR", "json")["root"]["level"] == "ERROR"


def test_an_answer_to_head_is_nothing_to_warn_of():
    assert configuration.configuration("DEBUG", "json")["loggers"]["gunicorn.http.wsgi"]["level"] == "ERROR"


def test_a_stream_is_made_for_its_request_and_for_nothing_between():
    current = Current("id-2")
    seen = []

    def content():
        for piece in (b"a", b"b"):
            seen.append(CURRENT.get())
            yield piece

    stream = Pieces(content(), current, lambda: seen.append("begins"))
    assert next(stream) == b"a"
    assert CURRENT.get() is None
    assert list(stream) == [b"b"]
    stream.close()
    assert seen == [current, "begins", current]


def test_a_function_for_another_thread_takes_the_request_along_and_no_further(request_):
    call = in_request(CURRENT.get)
    token = CURRENT.set(None)
    assert call().request_id == "id-1"
    assert CURRENT.get() is None
    CURRENT.reset(token)


def test_nothing_is_read_from_a_request_to_hide_it():
    request = HttpRequest()
    assert list(hiding.sent(request)) == []
    assert not hasattr(request, "_body")
