"""Uploading straight to the store: the signed address, what it refuses, and the check afterwards."""

import io
import re
from urllib.parse import urljoin

import pytest
import requests
from PIL import Image

from tests.e2e.contract.calls import SOME_KEY, at_once
from tests.e2e.contract.pictures import HTML, picture, rotated
from tests.e2e.contract.shapes import DESIGN, IMAGE, PRESIGNED, granted, page_of, refused

pytestmark = pytest.mark.e2e

LIMIT = 10_485_760


@pytest.fixture
def ask(boss):
    def get(size, content_type="image/png", client=None, **more):
        query = {"content_type": content_type, "size": size} | more
        return (client or boss).get("/api/upload/presigned-url", params=query)

    return get


@pytest.fixture
def put(server):
    """Send bytes to the store as told, or with some header or the address changed."""

    def send(told, content, url=None, **headers):
        where = urljoin(server.address, url or told["upload_url"])
        return requests.put(where, data=content, headers=told["headers"] | headers, timeout=30)

    return send


@pytest.fixture
def complete(boss):
    return lambda key, client=None: (client or boss).post("/api/upload/complete", json={"object_key": key})


@pytest.mark.parametrize(
    ("kind", "ext", "declared"),
    [("JPEG", "jpg", "image/jpeg"), ("PNG", "png", "image/png"), ("WEBP", "webp", "image/webp")],
)
def test_a_picture_put_to_the_store_is_checked_and_usable(
    boss, ask, put, complete, fetch, kind, ext, declared
):
    content = picture(kind, (300, 200))
    told = granted(ask(len(content), declared), PRESIGNED)
    assert told["object_key"].startswith("designs/")
    assert told["object_key"].endswith(f".{ext}")
    assert told["public_url"].endswith(f"/{told['object_key']}")
    refused(complete(told["object_key"]), 409, "not_uploaded")
    assert put(told, content).status_code in (200, 201, 204)
    image = granted(complete(told["object_key"]), IMAGE)
    assert (image["object_key"], image["content_type"]) == (told["object_key"], declared)
    assert (image["width"], image["height"], image["in_use"]) == (300, 200, False)
    again = granted(complete(told["object_key"]), IMAGE)
    assert again | {"message": ""} == image | {"message": ""}
    assert Image.open(io.BytesIO(fetch(told["public_url"]).content)).size == (300, 200)
    assert all(fetch(one["url"]).status_code == 200 for one in image["renditions"])
    body = {"title": "T", "category": "C", "r2_object_key": told["object_key"]}
    assert granted(boss.post("/api/designs", json=body), DESIGN, 201)["image_url"] == image["url"]
    assert granted(complete(told["object_key"]), IMAGE)["in_use"] is True


def test_exif_goes_once_its_rotation_is_applied(ask, put, complete, fetch):
    content = rotated("JPEG")
    told = granted(ask(len(content), "image/jpeg"), PRESIGNED)
    assert put(told, content).ok
    image = granted(complete(told["object_key"]), IMAGE)
    assert (image["width"], image["height"]) == (40, 80)
    stored = fetch(told["public_url"]).content
    assert len(stored) == image["size"]
    assert b"SecretCamera" not in stored
    assert not Image.open(io.BytesIO(stored)).getexif()


def test_many_completions_at_once_make_one_picture(boss, ask, put, complete):
    content = picture("PNG", (200, 100))
    told = granted(ask(len(content), category="temp"), PRESIGNED)
    assert put(told, content).ok
    answers = at_once([lambda: complete(told["object_key"])] * 4)
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert any(answer.status_code == 200 for answer in answers)
    granted(complete(told["object_key"]), IMAGE)
    page = granted(
        boss.get("/api/upload/images", params={"category": "temp", "per_page": 100}), page_of(IMAGE)
    )
    assert [one["object_key"] for one in page["items"]].count(told["object_key"]) == 1


def test_the_store_refuses_another_type_or_length(ask, put, complete):
    content = picture("PNG")
    told = granted(ask(len(content)), PRESIGNED)
    faults = [
        put(told, content, **{"Content-Type": "text/html"}),
        put(told, content, **{"Content-Type": "image/jpeg"}),
        put(told, content + b"x"),
        put(told, content[:-1]),
        put(told, b""),
    ]
    for answer in faults:
        assert 400 <= answer.status_code < 500, answer.status_code
    refused(complete(told["object_key"]), 409, "not_uploaded")
    assert put(told, content).ok
    granted(complete(told["object_key"]), IMAGE)


def test_the_store_refuses_an_address_that_was_changed(ask, put, complete):
    content = picture("PNG")
    told, other = (granted(ask(len(content)), PRESIGNED) for _ in range(2))
    url = told["upload_url"]
    changed = [url[:-1] + ("0" if url[-1] != "0" else "1"), url.split("?")[0], url + "0"]
    changed.append(url.replace(told["object_key"], other["object_key"]))
    changed += [re.sub(r"\d(?=\D*$)", lambda digit: str((int(digit[0]) + 1) % 10), url)]
    for one in changed:
        if one != url:
            answer = put(told, content, one)
            assert 400 <= answer.status_code < 500, (one, answer.status_code)
    for key in (told["object_key"], other["object_key"]):
        refused(complete(key), 409, "not_uploaded")


def test_bad_content_is_removed_from_the_store(boss, ask, put, complete, fetch):
    for content in (HTML, picture("GIF"), picture("PNG", (300, 300), (1, 2, 3))[:-60]):
        told = granted(ask(len(content)), PRESIGNED)
        assert put(told, content).ok
        refused(complete(told["object_key"]), 400, "invalid_image")
        assert fetch(told["public_url"]).status_code == 404
        refused(complete(told["object_key"]), (400, 404, 409))
        body = {"title": "T", "category": "C", "r2_object_key": told["object_key"]}
        refused(boss.post("/api/designs", json=body), 400, field="r2_object_key")


def test_a_picture_not_of_its_declared_type_breaks_nothing(ask, put, complete):
    content = picture("JPEG")
    told = granted(ask(len(content), "image/png"), PRESIGNED)
    assert put(told, content).ok
    answer = complete(told["object_key"])
    if answer.status_code == 200:
        assert granted(answer, IMAGE)["content_type"] == "image/jpeg"
    else:
        refused(answer, 400, "invalid_image")


def test_only_who_asked_completes(reader, boss, join, ask, put, complete):
    content = picture("PNG")
    told = granted(ask(len(content), client=reader.client, category="avatars"), PRESIGNED)
    assert told["object_key"].startswith("avatars/")
    assert put(told, content).ok
    refused(complete(told["object_key"], join().client), 404)
    granted(complete(told["object_key"], reader.client), IMAGE)
    theirs = granted(ask(len(content), category="avatars"), PRESIGNED)
    refused(complete(theirs["object_key"], reader.client), 404)


def test_users_ask_for_avatars_only(reader, ask):
    for category in ("designs", "temp"):
        refused(ask(100, client=reader.client, category=category), 403)
    refused(ask(100, client=reader.client), 403)


@pytest.mark.parametrize(
    "bad", ["image/svg+xml", "text/html", "image/gif", "", "png", "image/png\0", "IMAGE/*"]
)
def test_a_type_that_is_not_allowed_is_named(ask, bad):
    refused(ask(100, bad), 400, field="content_type")


def test_what_is_missing_is_named(boss):
    refused(boss.get("/api/upload/presigned-url", params={"size": 10}), 400, field="content_type")
    refused(boss.post("/api/upload/complete", json={}), 400, field="object_key")


def test_the_bounds_of_size(ask):
    for bad in ("0", "-1", "abc", "1.5", "\0"):
        refused(ask(bad), 400, field="size")
    refused(ask(LIMIT + 1), 413, "file_too_large")
    refused(ask("9" * 30), (400, 413))
    granted(ask(LIMIT), PRESIGNED)
    granted(ask(1), PRESIGNED)


def test_a_category_that_is_none_is_named(ask):
    refused(ask(100, category="nope"), 400, field="category")


@pytest.mark.parametrize("key", [SOME_KEY, "nope", "../../jwt-secret", "/etc/passwd", "x" * 3000])
def test_completing_what_nobody_asked_for_is_a_404(complete, key):
    refused(complete(key), (400, 404))


@pytest.mark.parametrize("key", [None, [], {}, True, "", "a\0b"])
def test_a_key_of_a_wrong_type_is_named(complete, key):
    refused(complete(key), 400, field="object_key")
