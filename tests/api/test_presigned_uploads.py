"""Uploads straight into the store, by a signed address, on both stores."""

import io
import socket
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import requests
from django.utils import timezone
from PIL import Image as Pillow

from devtools.waiting import wait_for
from tests.api.client import WHO_ASKS, ApiClient, refused
from tests.pictures import (
    PLACE,
    exif,
    picture,
    quartered,
    quarters_of,
    saved,
    talkative,
    textile,
    turned,
)
from tests.stores import ORIGIN
from tests.uploads_corpus import corpus
from uploads.keys import incoming_key
from uploads.models import Image, PendingUpload
from uploads.storage.base import IMMUTABLE

pytestmark = pytest.mark.django_db
transactional = pytest.mark.django_db(transaction=True)

BAD = {name: data for name, data in corpus().items() if data}


def presigned(client, data, content_type="image/jpeg", **query):
    response = client.get("/api/upload/presigned-url", content_type=content_type, size=len(data), **query)
    assert response.status_code == 200, response.content
    return response.json()


def send(store, client, promise, data, **headers):
    return store.send(client.http, promise["upload_url"], data, {**promise["headers"], **headers})


def complete(client, promise):
    return client.post("/api/upload/complete", {"object_key": promise["object_key"]})


@pytest.mark.parametrize(
    ("content_type", "extension"), [("image/jpeg", "jpg"), ("image/png", "png"), ("image/webp", "webp")]
)
def test_a_presigned_upload_becomes_an_image(image_store, content_type, extension):
    admin, data = ApiClient.admin(), saved(textile(1300, 700), content_type)
    promise = presigned(admin, data, content_type)
    assert set(promise) == {"upload_url", "method", "headers", "object_key", "public_url", "expires_in"}
    assert promise["method"] == "PUT"
    assert promise["object_key"].startswith("designs/")
    assert promise["object_key"].endswith(f".{extension}")
    assert promise["public_url"].endswith("/" + promise["object_key"])
    assert 890 <= promise["expires_in"] <= 900
    assert send(image_store, admin, promise, data) == 200
    response = complete(admin, promise)
    assert response.status_code == 200
    body = response.json()
    assert (body["object_key"], body["url"]) == (promise["object_key"], promise["public_url"])
    assert (body["width"], body["height"], body["content_type"]) == (1300, 700, content_type)
    assert len(image_store.listed()) == 1 + len(body["renditions"])
    assert complete(admin, promise).json() == body
    assert PendingUpload.objects.count() == 0
    assert Image.objects.count() == 1


def test_nothing_there_yet_is_a_conflict(image_store):
    admin = ApiClient.admin()
    refused(complete(admin, presigned(admin, picture())), 409, "not_uploaded")


def test_anothers_promise_is_not_found(image_store):
    one, other, data = ApiClient.admin(), ApiClient.admin(), picture()
    promise = presigned(one, data)
    send(image_store, one, promise, data)
    refused(complete(other, promise), 404, "not_found")
    assert complete(one, promise).status_code == 200
    refused(complete(other, promise), 404, "not_found")


@pytest.mark.parametrize("key", ["x", "../../etc/passwd", "designs/2026/11/1764000000_x.jpg", "a" * 255])
def test_a_key_that_nobody_promised_is_not_found(folder, key):
    refused(ApiClient.admin().post("/api/upload/complete", {"object_key": key}), 404, "not_found")


@pytest.mark.parametrize("body", [{}, {"object_key": 3}, {"object_key": ""}, {"object_key": "a" * 256}])
def test_complete_wants_a_key(folder, body):
    assert set(refused(ApiClient.admin().post("/api/upload/complete", body), 400, "invalid")) == {
        "object_key"
    }


def test_the_store_refuses_another_type(image_store):
    admin, data = ApiClient.admin(), picture()
    promise = presigned(admin, data)
    assert send(image_store, admin, promise, data, **{"Content-Type": "text/html"}) == 403
    assert image_store.listed() == []


@pytest.mark.parametrize("change", [-1, 1, 1000])
def test_the_store_refuses_another_length(image_store, change):
    admin, data = ApiClient.admin(), picture()
    promise = presigned(admin, data)
    other = data[:change] if change < 0 else data + bytes(change)
    assert send(image_store, admin, promise, other) == 403
    assert image_store.listed() == []


def test_the_store_refuses_another_key(image_store):
    admin, data = ApiClient.admin(), picture()
    one, other = presigned(admin, data), presigned(admin, data)
    address = one["upload_url"].replace(
        one["object_key"].rpartition("/")[2], other["object_key"].rpartition("/")[2]
    )
    assert send(image_store, admin, {**one, "upload_url": address}, data) == 403
    assert image_store.listed() == []


def test_the_store_refuses_a_tampered_address(image_store):
    admin, data = ApiClient.admin(), picture()
    promise = presigned(admin, data)
    address = promise["upload_url"]
    changed = address[:-1] + ("0" if address[-1] != "0" else "1")
    assert send(image_store, admin, {**promise, "upload_url": changed}, data) == 403
    bare = address.partition("?")[0]
    assert send(image_store, admin, {**promise, "upload_url": bare}, data) == 403
    assert image_store.listed() == []


def test_the_store_refuses_an_expired_address(image_store, settings):
    settings.PRESIGNED_LIFETIME = timedelta(seconds=1)
    admin, data = ApiClient.admin(), picture()
    promise = presigned(admin, data)
    deadline = timezone.now() + timedelta(seconds=15)
    # Each of these tries is refused for its length, before the time is up and after; the last one fits.
    while timezone.now() < PendingUpload.objects.get().expires_at + timedelta(seconds=1.1):
        assert timezone.now() < deadline
        assert send(image_store, admin, promise, data + b"x") == 403
    assert send(image_store, admin, promise, data) == 403
    assert image_store.listed() == []


def test_an_address_takes_one_upload(image_store):
    admin, data = ApiClient.admin(), picture()
    promise = presigned(admin, data)
    assert send(image_store, admin, promise, data) == 200
    assert send(image_store, admin, promise, data[::-1]) == 412
    assert image_store.read(incoming_key(promise["object_key"])) == data


def test_what_came_in_does_not_lie_under_the_public_address_before_it_is_checked(image_store):
    admin, data = ApiClient.admin(), saved(textile(900, 700), exif=exif())
    promise = presigned(admin, data)
    assert send(image_store, admin, promise, data) == 200
    assert image_store.listed() == [incoming_key(promise["object_key"])]
    stored = complete(admin, promise).json()
    assert len(image_store.listed()) == 3
    assert incoming_key(promise["object_key"]) not in image_store.listed()
    assert len(image_store.read(promise["object_key"])) == stored["size"]


def test_the_folder_gives_nothing_out_that_is_not_checked(folder):
    admin, data = ApiClient.admin(), picture()
    promise = presigned(admin, data)
    send(folder, admin, promise, data)
    stranger = ApiClient().http
    for address in (promise["public_url"], promise["upload_url"], promise["upload_url"].partition("?")[0]):
        response = stranger.get(urlsplit(address).path)
        assert response.status_code == 404
        assert "Cache-Control" not in response or "immutable" not in response["Cache-Control"]
    complete(admin, promise)
    assert stranger.get(urlsplit(promise["public_url"]).path).status_code == 200


@pytest.mark.parametrize("name", BAD)
def test_bad_bytes_are_removed_from_the_store(image_store, name):
    admin, data = ApiClient.admin(), BAD[name]
    promise = presigned(admin, data)
    assert send(image_store, admin, promise, data) == 200
    assert set(refused(complete(admin, promise), 400, "invalid_image")) == {"object_key"}
    assert image_store.listed() == []
    assert Image.objects.count() == 0
    refused(complete(admin, promise), 409, "not_uploaded")


def test_a_picture_of_another_type_than_announced_is_removed(image_store):
    admin, data = ApiClient.admin(), picture("image/png")
    promise = presigned(admin, data, "image/jpeg")
    send(image_store, admin, promise, data)
    refused(complete(admin, promise), 400, "invalid_image")
    assert image_store.listed() == []


def test_an_object_of_another_size_than_announced_is_removed(image_store):
    admin, data = ApiClient.admin(), picture()
    promise = presigned(admin, data + b"x")
    image_store.write(incoming_key(promise["object_key"]), data, "image/jpeg")
    refused(complete(admin, promise), 400, "invalid_image")
    assert image_store.listed() == []


def test_an_object_over_the_limit_is_removed_unread(image_store, settings):
    admin = ApiClient.admin()
    promise = presigned(admin, picture())
    image_store.write(incoming_key(promise["object_key"]), bytes(settings.MAX_FILE_SIZE + 1), "image/jpeg")
    refused(complete(admin, promise), 400, "invalid_image")
    assert image_store.listed() == []


def test_a_camera_s_place_and_rotation_are_gone_once_completed(image_store):
    admin, data = ApiClient.admin(), turned(6)
    promise = presigned(admin, data)
    send(image_store, admin, promise, data)
    body = complete(admin, promise).json()
    stored = image_store.read(promise["object_key"])
    assert PLACE in data
    assert PLACE not in stored
    assert len(stored) == body["size"] != len(data)
    opened = Pillow.open(io.BytesIO(stored))
    assert opened.size == (body["width"], body["height"]) == (400, 300)
    assert quarters_of(opened) == quarters_of(quartered())
    assert not opened.getexif()


def test_users_are_promised_avatars_only(image_store):
    user, data = ApiClient.approved(), picture()
    promise = presigned(user, data, category="avatars")
    assert promise["object_key"].startswith("avatars/")
    send(image_store, user, promise, data)
    assert complete(user, promise).status_code == 200
    query = {"content_type": "image/jpeg", "size": 5}
    refused(user.get("/api/upload/presigned-url", **query), 403, "forbidden")
    refused(ApiClient().get("/api/upload/presigned-url", **query), 401, "not_authenticated")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"content_type": "image/gif"}, "content_type"),
        ({"content_type": ""}, "content_type"),
        ({"content_type": None}, "content_type"),
        ({"size": 0}, "size"),
        ({"size": -5}, "size"),
        ({"size": "many"}, "size"),
        ({"size": None}, "size"),
        ({"category": "secrets"}, "category"),
        ({"content_type": "image/gif", "size": "many", "category": "secrets"}, "content_type size category"),
    ],
)
def test_a_bad_query_is_named(folder, query, field):
    whole = {"content_type": "image/jpeg", "size": 100, **query}
    sent = {name: value for name, value in whole.items() if value is not None}
    response = ApiClient.admin().get("/api/upload/presigned-url", **sent)
    assert set(refused(response, 400, "invalid")) == set(field.split())
    assert PendingUpload.objects.count() == 0


@pytest.mark.parametrize("excess", [1, 10**30])
def test_an_announced_size_over_the_limit_is_too_large(folder, settings, excess):
    query = {"content_type": "image/jpeg", "size": settings.MAX_FILE_SIZE + excess}
    response = ApiClient.admin().get("/api/upload/presigned-url", **query)
    assert set(refused(response, 413, "file_too_large")) == {"size"}


@transactional
def test_a_presigned_upload_asks_the_database_little(folder, django_assert_num_queries):
    admin, data = ApiClient.admin(), picture()
    with django_assert_num_queries(WHO_ASKS + 1):  # the promise
        promise = presigned(admin, data)
    send(folder, admin, promise, data)
    with django_assert_num_queries(2 * WHO_ASKS + 4):  # the promise as well; BEGIN, INSERT, DELETE, COMMIT
        complete(admin, promise)


def test_the_folder_serves_its_images_for_ever_and_nothing_else(folder):
    admin = ApiClient.admin()
    data = picture()
    promise = presigned(admin, data)
    send(folder, admin, promise, data)
    complete(admin, promise)
    stranger = ApiClient().http
    response = stranger.get("/media/" + promise["object_key"])
    assert response.status_code == 200
    assert b"".join(response.streaming_content) == folder.read(promise["object_key"])
    assert response["Content-Type"] == "image/jpeg"
    assert response["Cache-Control"] == IMMUTABLE
    assert response["X-Content-Type-Options"] == "nosniff"
    assert stranger.get("/media/" + promise["object_key"].replace(".jpg", ".png")).status_code == 404
    for path in ("", "designs/", "../gallery.sqlite3", "%2e%2e/gallery.sqlite3", ".drafts/x"):
        assert stranger.get("/media/" + path).status_code == 404


def test_the_folder_s_addresses_serve_nothing_when_images_lie_elsewhere(bucket):
    key = "designs/2026/11/1764000000_0f8fad5b-d9cb-469f-a165-70867728950e.jpg"
    assert ApiClient().http.get(f"/media/{key}").status_code == 404
    assert ApiClient().http.put(f"/media/{key}", b"x", content_type="image/jpeg").status_code == 404


def test_a_web_app_may_put_across_origins_into_the_folder(folder):
    admin = ApiClient.admin()
    path = urlsplit(presigned(admin, picture())["upload_url"])
    response = admin.http.options(
        f"{path.path}?{path.query}",
        headers={
            "Origin": ORIGIN,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "content-type",
        },
    )
    assert response.status_code == 200
    assert response["Access-Control-Allow-Origin"] in ("*", ORIGIN)
    assert "PUT" in response["Access-Control-Allow-Methods"]
    assert "content-type" in response["Access-Control-Allow-Headers"]


def test_a_web_app_may_put_across_origins_into_the_bucket(bucket):
    bucket.allow_origin(ORIGIN)
    promise = presigned(ApiClient.admin(), picture())
    asked = ", ".join(name.lower() for name in promise["headers"])
    headers = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": asked,
    }
    response = requests.options(promise["upload_url"], headers=headers, timeout=10)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] in ("*", ORIGIN)
    stranger = requests.options(
        promise["upload_url"], headers={**headers, "Origin": "https://evil.example"}, timeout=10
    )
    assert stranger.headers.get("Access-Control-Allow-Origin") is None


def test_the_bucket_signs_type_length_and_write_once(bucket):
    promise = presigned(ApiClient.admin(), picture())
    signed = (
        requests.utils.unquote(promise["upload_url"]).partition("X-Amz-SignedHeaders=")[2].partition("&")[0]
    )
    assert set(signed.split(";")) == {"content-length", "content-type", "host", "if-none-match"}


def test_images_of_the_bucket_are_cached_for_ever(bucket):
    admin, data = ApiClient.admin(), talkative("image/jpeg")
    promise = presigned(admin, data)
    send(bucket, admin, promise, data)
    complete(admin, promise)
    for key in bucket.listed():
        head = bucket.client.head_object(Bucket=bucket.bucket, Key=key)
        assert head["CacheControl"] == IMMUTABLE
        assert head["ContentType"] in ("image/jpeg", "image/webp")


def test_an_address_is_made_without_asking_the_store(bucket):
    admin = ApiClient.admin()
    bucket.proxy.fault = lambda method, path: "refuse"
    assert presigned(admin, picture())["public_url"].startswith("https://images.example/designs/")
    assert bucket.proxy.requests == []


@transactional
def test_a_body_cut_short_leaves_nothing_in_the_folder(folder, live_server):
    admin, data = ApiClient.admin(), saved(textile(), exif=exif())
    promise = presigned(admin, data)
    path = urlsplit(promise["upload_url"])
    server = urlsplit(live_server.url)
    head = (
        f"PUT {path.path}?{path.query} HTTP/1.1\r\nHost: {server.netloc}\r\n"
        f"Content-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    with socket.create_connection((server.hostname, server.port)) as connection:
        connection.sendall(head.encode() + data[:-10])
        wait_for(lambda: folder.listed() != [])
    wait_for(lambda: folder.listed() == [])
    assert send(folder, admin, promise, data) == 200
