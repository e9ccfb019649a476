"""Answers are compressed where that is worth it, for whoever takes gzip."""

import gzip

import pytest
from django.test import Client

from tests.api.client import ApiClient
from tests.factories.accounts import PASSWORD, UserFactory
from tests.factories.designs import DesignFactory

pytestmark = pytest.mark.django_db

TAKES_GZIP = {"Accept-Encoding": "gzip, deflate"}


def test_a_page_is_sent_as_gzip_to_who_takes_it_and_says_the_same():
    DesignFactory.create_batch(5)
    reader = ApiClient.approved()
    plain = reader.send("GET", "/api/designs")
    packed = reader.send("GET", "/api/designs", headers=TAKES_GZIP)
    assert not plain.has_header("Content-Encoding")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert int(packed.headers["Content-Length"]) == len(packed.content) < len(plain.content) / 2
    assert packed.headers["ETag"] == plain.headers["ETag"]
    assert {"Authorization", "Accept-Encoding"} <= set(packed.headers["Vary"].replace(" ", "").split(","))


def test_what_was_kept_packed_is_found_unchanged():
    DesignFactory()
    reader = ApiClient.approved()
    etag = reader.send("GET", "/api/designs", headers=TAKES_GZIP).headers["ETag"]
    again = reader.send("GET", "/api/designs", headers={**TAKES_GZIP, "If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


def test_a_static_file_that_did_not_change_has_no_body():
    path, browser = "/static/console/console.css", Client()
    etag = browser.get(path).headers["ETag"]
    again = browser.get(path, headers={**TAKES_GZIP, "If-None-Match": etag})
    assert (again.status_code, b"".join(again.streaming_content)) == (304, b"")


def test_tokens_are_not_compressed():
    user = UserFactory()
    sign_in = {"username": user.username, "password": PASSWORD}
    answer = ApiClient().send("POST", "/api/auth/login", sign_in, headers=TAKES_GZIP)
    assert answer.status_code == 200
    assert not answer.has_header("Content-Encoding")


@pytest.mark.parametrize(
    "accepted",
    [
        "gzip;q=0",
        "gzip; q=0",
        "GZIP;Q=0",
        "gzip;q=0.000",
        "*;q=0",
        "identity",
        "gzip;q=0, *",
        "gzip;q=0.5, identity",
    ],
)
def test_who_refuses_gzip_gets_the_plain_body(accepted):
    DesignFactory.create_batch(3)
    answer = ApiClient.approved().send("GET", "/api/designs", headers={"Accept-Encoding": accepted})
    assert answer.status_code == 200
    assert not answer.has_header("Content-Encoding")
    assert "Accept-Encoding" in answer.headers["Vary"]


@pytest.mark.parametrize(
    "accepted",
    [
        "gzip;q=0.1",
        "br, gzip",
        "gzip, identity;q=0",
        "gzip, *;q=0",
        "GZIP",
        "Gzip;Q=1",
        "*",
        "br;q=0.5, *;q=0.1",
    ],
)
def test_who_takes_gzip_gets_it_however_they_say_so(accepted):
    DesignFactory.create_batch(3)
    answer = ApiClient.approved().send("GET", "/api/designs", headers={"Accept-Encoding": accepted})
    assert answer.headers["Content-Encoding"] == "gzip"
