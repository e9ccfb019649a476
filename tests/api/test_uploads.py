"""Uploading, listing and deleting images over the API, on both stores."""

import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image as Pillow

from core.models import AuditEntry
from designs.models import Design
from tests.api.client import WHO_ASKS, ApiClient, refused
from tests.factories.uploads import ImageFactory
from tests.pictures import PLACE, picture, saved, talkative, textile, turned
from tests.uploads_corpus import corpus, polyglots
from uploads.models import Image
from uploads.pipeline import decoding
from uploads.storage.base import StoredObject, configured_store

KEY = (
    r"{category}/\d{{4}}/\d{{2}}/\d+_[0-9a-f]{{8}}-[0-9a-f]{{4}}-4[0-9a-f]{{3}}-[0-9a-f]{{4}}-[0-9a-f]{{12}}"
    r"\.{extension}"
)
FIELDS = {
    "success",
    "message",
    "object_key",
    "url",
    "content_type",
    "size",
    "width",
    "height",
    "dominant_colour",
    "thumbhash",
    "renditions",
    "in_use",
    "created_at",
}
BAD = corpus()
POLYGLOTS = polyglots()

pytestmark = pytest.mark.django_db
transactional = pytest.mark.django_db(transaction=True)


def upload(client, data, *, name="photo.jpg", declared="image/jpeg", **fields):
    return client.upload("/api/upload/image", file=SimpleUploadedFile(name, data, declared), **fields)


def uploaded(client, data=None, **fields):
    response = upload(client, data or picture(), **fields)
    assert response.status_code == 201, response.content
    return response.json()


@pytest.mark.parametrize(
    ("content_type", "extension"), [("image/jpeg", "jpg"), ("image/png", "png"), ("image/webp", "webp")]
)
def test_an_uploaded_picture_is_described_and_lies_in_the_store(image_store, content_type, extension):
    body = uploaded(ApiClient.admin(), saved(textile(1300, 700), content_type), name="../../etc/passwd.gif")
    assert set(body) == FIELDS
    assert re.fullmatch(KEY.format(category="designs", extension=extension), body["object_key"])
    assert (body["success"], body["content_type"], body["width"], body["height"]) == (
        True,
        content_type,
        1300,
        700,
    )
    assert body["in_use"] is False
    assert body["created_at"].endswith("Z")
    assert re.fullmatch("#[0-9a-f]{6}", body["dominant_colour"])
    assert body["url"].startswith("http")
    assert body["url"].endswith("/" + body["object_key"])
    assert [one["width"] for one in body["renditions"]] == [320, 640, 1280]
    keys = [body["object_key"], *(one["url"].partition("/designs/")[2] for one in body["renditions"])]
    assert len(image_store.listed()) == len(keys) == 4
    assert len(image_store.read(body["object_key"])) == body["size"]
    for one in body["renditions"]:
        key = "designs/" + one["url"].partition("/designs/")[2]
        small = Pillow.open(io.BytesIO(image_store.read(key)))
        assert (small.format, small.size) == ("WEBP", (one["width"], one["height"]))
        assert one["format"] == "webp"


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_and_leaves_nothing(image_store, name):
    errors = refused(upload(ApiClient.admin(), BAD[name]), 400, "invalid_image")
    assert set(errors) == {"file"}
    assert image_store.listed() == []
    assert Image.objects.count() == 0


@pytest.mark.parametrize("name", POLYGLOTS)
def test_what_hangs_on_a_picture_is_not_stored(image_store, name):
    content_type, data, cargo = POLYGLOTS[name]
    assert cargo in data
    body = uploaded(ApiClient.admin(), data)
    assert body["content_type"] == content_type
    assert cargo not in image_store.read(body["object_key"])


@pytest.mark.parametrize("content_type", ["image/jpeg", "image/png", "image/webp"])
def test_no_metadata_is_stored(image_store, content_type):
    data = talkative(content_type)
    assert PLACE in data
    uploaded(ApiClient.admin(), data)
    for key in image_store.listed():
        stored = image_store.read(key)
        for trace in (PLACE, b"Exif", b"eXIf", b"EXIF", b"Camera", b"xmpmeta", b"tEXt"):
            assert trace not in stored
        opened = Pillow.open(io.BytesIO(stored))
        opened.load()
        assert not opened.getexif()
        assert not {"exif", "xmp", "comment", "icc_profile"} & set(opened.info)


def test_rotation_is_applied(image_store):
    body = uploaded(ApiClient.admin(), turned(6, width=400, height=300))
    assert (body["width"], body["height"]) == (400, 300)
    stored = Pillow.open(io.BytesIO(image_store.read(body["object_key"])))
    assert stored.size == (400, 300)
    assert stored.getpixel((20, 20))[0] > 200  # red, as quartered has it


def test_a_file_over_the_limit_is_too_large(image_store, settings):
    data = picture("image/png") + bytes(settings.MAX_FILE_SIZE + 1 - len(picture("image/png")))
    assert len(data) == settings.MAX_FILE_SIZE + 1
    assert set(refused(upload(ApiClient.admin(), data), 413, "file_too_large")) == {"file"}
    assert image_store.listed() == []


def test_a_file_of_exactly_the_limit_is_taken(image_store, settings):
    data = picture("image/png") + bytes(settings.MAX_FILE_SIZE - len(picture("image/png")))
    uploaded(ApiClient.admin(), data)


def test_a_host_out_of_memory_for_pictures_is_unavailable_and_says_when_to_come_again(
    image_store, settings, monkeypatch
):
    monkeypatch.setattr(decoding, "PATIENCE", 0)
    user = ApiClient.approved()
    with decoding.decoding(settings.DECODING_MEMORY):
        response = upload(user, picture(), category="avatars")
    assert refused(response, 503, "unavailable") == {}
    assert int(response.headers["Retry-After"]) > 0
    assert image_store.listed() == []
    uploaded(user, category="avatars")


def test_a_picture_that_needs_more_memory_than_the_host_has_is_refused(image_store, settings):
    settings.DECODING_MEMORY = 30_000_000
    refused(upload(ApiClient.admin(), saved(textile(3000, 2000), "image/png")), 400, "invalid_image")
    uploaded(ApiClient.admin(), saved(textile(3000, 2000)))


def test_users_upload_avatars_only(image_store):
    user = ApiClient.approved()
    assert uploaded(user, category="avatars")["object_key"].startswith("avatars/")
    refused(upload(user, picture()), 403, "forbidden")
    refused(upload(user, picture(), category="temp"), 403, "forbidden")
    refused(upload(ApiClient(), picture()), 401, "not_authenticated")
    assert Image.objects.count() == 1


def test_admins_upload_to_every_category(image_store):
    admin = ApiClient.admin()
    for category in ("designs", "avatars", "temp"):
        assert uploaded(admin, category=category)["object_key"].startswith(f"{category}/")
    assert set(refused(upload(admin, picture(), category="secrets"), 400, "invalid")) == {"category"}


@pytest.mark.parametrize("fields", [{}, {"file": "text, not a file"}, {"other": "x"}])
def test_a_form_without_a_file_is_refused(folder, fields):
    response = ApiClient.admin().upload("/api/upload/image", **fields)
    assert set(refused(response, 400, "invalid")) == {"file"}


def test_a_body_of_another_media_type_is_refused(folder):
    refused(ApiClient.admin().post("/api/upload/image", {"file": "x"}), 415, "unsupported_media_type")


def test_a_broken_form_is_refused(folder):
    admin = ApiClient.admin()
    response = admin.http.generic(
        "POST", "/api/upload/image", b"--x", content_type="multipart/form-data", headers=admin.headers
    )
    refused(response, 400, "malformed")


@transactional
def test_a_design_shows_an_uploaded_image_which_then_cannot_be_deleted(image_store):
    admin = ApiClient.admin()
    key = uploaded(admin)["object_key"]
    design = Design.objects.create(title="Kanjivaram", category="Saree", image_id=key)
    refused(admin.delete(f"/api/upload/image/{key}"), 409, "image_in_use")
    assert image_store.listed() != []
    design.delete()
    answer = admin.delete(f"/api/upload/image/{key}")
    assert (answer.status_code, answer.json()["success"]) == (200, True)
    assert image_store.listed() == []
    refused(admin.delete(f"/api/upload/image/{key}"), 404, "not_found")


def test_deleting_is_audited(folder):
    admin = ApiClient.admin()
    key = uploaded(admin)["object_key"]
    admin.delete(f"/api/upload/image/{key}")
    entry = AuditEntry.objects.get(action="image.delete")
    assert (entry.object_label, entry.actor_username) == (key, admin.user.username)


def test_an_avatar_in_use_cannot_be_deleted(folder):
    user, admin = ApiClient.approved(), ApiClient.admin()
    key = uploaded(user, category="avatars")["object_key"]
    user.user.avatar_object_key = key
    user.user.save()
    refused(admin.delete(f"/api/upload/image/{key}"), 409, "image_in_use")


def test_only_admins_delete_and_list(folder):
    user, key = ApiClient.approved(), uploaded(ApiClient.admin())["object_key"]
    refused(user.delete(f"/api/upload/image/{key}"), 403, "forbidden")
    refused(user.get("/api/upload/images"), 403, "forbidden")
    refused(ApiClient().get("/api/upload/images"), 401, "not_authenticated")


@pytest.mark.parametrize(
    "key", ["designs", "designs/%2e%2e/x", "designs/2026/11/x.jpg", "a%00b", "%F0%9F%98%80"]
)
def test_deleting_what_is_no_key_finds_nothing(folder, key):
    refused(ApiClient.admin().delete(f"/api/upload/image/{key}"), 404, "not_found")


def test_the_list_is_paged_filtered_and_says_what_is_in_use(folder):
    admin = ApiClient.admin()
    shown, unused, avatar = ImageFactory(), ImageFactory(), ImageFactory(category="avatars")
    Design.objects.create(title="Patola", category="Saree", image=shown)
    admin.user.avatar_object_key = avatar.object_key
    admin.user.save()

    def keys(**query):
        body = admin.get("/api/upload/images", **query).json()
        assert body["total"] == len(body["items"])
        assert all(set(item) == FIELDS for item in body["items"])
        return {item["object_key"]: item["in_use"] for item in body["items"]}

    assert keys() == {avatar.object_key: True, unused.object_key: False, shown.object_key: True}
    assert list(keys()) == [avatar.object_key, unused.object_key, shown.object_key]
    assert keys(category="avatars") == {avatar.object_key: True}
    assert keys(unused="true") == {unused.object_key: False}
    assert keys(unused="false", category="designs") == {shown.object_key: True}
    page = admin.get("/api/upload/images", page=2, per_page=2).json()
    assert [item["object_key"] for item in page["items"]] == [shown.object_key]
    assert (page["total"], page["pages"], page["page"], page["per_page"]) == (3, 2, 2, 2)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"category": "x"}, "category"),
        ({"unused": "maybe"}, "unused"),
        ({"page": 0}, "page"),
        ({"per_page": 101}, "per_page"),
    ],
)
def test_a_bad_filter_of_the_list_is_named(folder, query, field):
    assert set(refused(ApiClient.admin().get("/api/upload/images", **query), 400, "invalid")) == {field}


def test_the_list_asks_three_questions_whatever_its_length(folder, django_assert_num_queries):
    admin = ApiClient.admin()
    ImageFactory.create_batch(30)
    with django_assert_num_queries(3):
        admin.get("/api/upload/images", per_page=30)


@transactional
def test_an_upload_is_one_write(folder, django_assert_num_queries):
    admin = ApiClient.admin()
    with django_assert_num_queries(WHO_ASKS + 3):  # BEGIN, INSERT, COMMIT
        uploaded(admin)


def test_the_store_gives_out_what_was_put(image_store):
    key = uploaded(ApiClient.admin())["object_key"]
    data = image_store.read(key)
    assert configured_store().get(key, 10_000_000) == StoredObject(len(data), data)


def test_an_empty_filter_of_the_list_counts_as_left_out(folder):
    ImageFactory()
    assert ApiClient.admin().get("/api/upload/images", category="", unused="").json()["total"] == 1
