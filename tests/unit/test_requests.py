"""The application that gunicorn serves: bodies and addresses are UTF-8. Django's test client makes other requests."""

import json

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import RequestFactory

from gallery_project.wsgi import application

REGISTER = "/api/auth/register?x=%ff%e0"
LONGEST_NAME = "मी" * 50
SENT = {"username": "no name", "full_name": LONGEST_NAME, "password": "six yards of silk"}


@pytest.fixture
def connections_stay():
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize(
    "charset", ["punycode", "idna", "zlib", "hex", "uu", "utf-16", "latin-1", "nonsense"]
)
def test_text_is_utf_8_whatever_charset_is_named(connections_stay, charset):
    """Python knows codecs that no text comes in."""
    body = json.dumps(SENT, ensure_ascii=False).encode()
    request = RequestFactory().generic("POST", REGISTER, body, content_type="application/json")
    request.environ["CONTENT_TYPE"] += f"; charset={charset}"
    statuses = []
    answer = b"".join(application(request.environ, lambda status, headers: statuses.append(status)))
    assert statuses == ["400 Bad Request"]
    assert set(json.loads(answer)["errors"]) == {"username"}
