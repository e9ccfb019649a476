"""Uploading pictures, good and bad; listing and deleting them."""

import io
import struct

import pytest
from PIL import Image

from tests.e2e.contract.calls import SOME_KEY
from tests.e2e.contract.pictures import bad_pictures, bomb, of_size, picture, rotated
from tests.e2e.contract.shapes import IMAGE, MESSAGE, granted, page_of, refused

pytestmark = pytest.mark.e2e

LIMIT = 10_485_760
TYPES = [("JPEG", "jpg", "image/jpeg"), ("PNG", "png", "image/png"), ("WEBP", "webp", "image/webp")]


@pytest.fixture
def send(boss):
    def post(content, name="a.jpg", declared="image/jpeg", client=None, **form):
        files = {"file": (name, content, declared)}
        return (client or boss).post("/api/upload/image", files=files, data=form)

    return post


def opened(answer) -> Image.Image:
    assert answer.status_code == 200
    image = Image.open(io.BytesIO(answer.content))
    image.load()
    return image


@pytest.mark.parametrize(("kind", "ext", "declared"), TYPES)
def test_a_picture_is_stored_with_its_renditions(send, fetch, kind, ext, declared):
    content = picture(kind, (900, 600), (200, 30, 40))
    body = granted(send(content, "liar.gif", "application/octet-stream"), IMAGE, 201)
    assert body["object_key"].startswith("designs/")
    assert body["object_key"].endswith(f".{ext}")
    assert body["url"].endswith(f"/{body['object_key']}")
    assert (body["content_type"], body["width"], body["height"], body["in_use"]) == (
        declared,
        900,
        600,
        False,
    )
    red, green, blue = bytes.fromhex(body["dominant_colour"][1:])
    assert abs(red - 200) + abs(green - 30) + abs(blue - 40) < 60
    stored = fetch(body["url"])
    assert stored.headers["Content-Type"] == declared
    assert len(stored.content) == body["size"]
    assert (opened(stored).format, opened(stored).size) == (kind, (900, 600))
    assert body["renditions"]
    for one in body["renditions"]:
        image = opened(fetch(one["url"]))
        assert (image.format, image.size) == ("WEBP", (one["width"], one["height"]))
        assert abs(one["width"] / one["height"] - 1.5) < 0.05


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_exif_goes_once_its_rotation_is_applied(send, fetch, kind):
    body = granted(send(rotated(kind)), IMAGE, 201)
    assert (body["width"], body["height"]) == (40, 80)
    for url in (body["url"], *[one["url"] for one in body["renditions"]]):
        stored = fetch(url)
        image = opened(stored)
        assert image.height > image.width
        assert not image.getexif()
        assert b"SecretCamera" not in stored.content


@pytest.mark.parametrize("fault", bad_pictures())
def test_bytes_that_are_no_picture_are_refused(boss, send, fault):
    content = bad_pictures()[fault]
    before = granted(boss.get("/api/upload/images"), page_of(IMAGE))["total"]
    for name, declared in (("a.jpg", "image/jpeg"), ("a.png", "image/png"), ("a.webp", "image/webp")):
        refused(send(content, name, declared), 400, "invalid_image")
    assert granted(boss.get("/api/upload/images"), page_of(IMAGE))["total"] == before


def test_a_decompression_bomb_is_refused(send):
    refused(send(bomb(), "small.png", "image/png"), (400, 413))
    refused(send(bomb(8000), "small.png", "image/png"), (400, 413))


def test_a_picture_that_lies_about_its_size_is_refused(send):
    content = bytearray(picture("PNG"))
    content[16:24] = struct.pack(">II", 5000, 5000)
    refused(send(bytes(content)), 400, "invalid_image")


def test_the_limit_of_bytes(send):
    body = granted(send(of_size(LIMIT)), IMAGE, 201)
    assert body["content_type"] == "image/jpeg"
    refused(send(of_size(LIMIT + 1)), 413, "file_too_large")


@pytest.mark.parametrize(
    ("mode", "kind", "colour", "size"),
    [
        ("RGB", "PNG", None, (1, 1)),
        ("RGB", "JPEG", None, (2000, 3)),
        ("RGBA", "PNG", (10, 20, 30, 0), (40, 40)),
        ("RGBA", "WEBP", (10, 20, 30, 128), (40, 40)),
        ("L", "JPEG", 128, (40, 40)),
        ("LA", "PNG", (128, 9), (40, 40)),
        ("1", "PNG", 1, (40, 40)),
        ("P", "PNG", 5, (40, 40)),
        ("I;16", "PNG", 40_000, (40, 40)),
        ("CMYK", "JPEG", (10, 20, 30, 40), (40, 40)),
    ],
)
def test_pictures_of_every_colour_mode_are_taken(send, mode, kind, colour, size):
    body = granted(send(picture(kind, size, colour, mode)), IMAGE, 201)
    assert (body["width"], body["height"]) == size


@pytest.mark.parametrize(
    "name",
    [
        "../../evil.jpg",
        "/etc/passwd",
        "..\\..\\evil.exe",
        "देव.jpg",
        "a" * 300 + ".jpg",
        "a.php.jpg",
        "%2e%2e%2f.jpg",
        ".",
    ],
)
def test_a_files_name_is_not_in_its_key(send, name):
    answer = send(picture("PNG"), name)
    if answer.status_code == 201:
        assert granted(answer, IMAGE, 201)["object_key"].endswith(".png")
    else:
        refused(answer, 400)


def test_what_is_missing_or_wrong_is_named(boss, send):
    refused(
        boss.post("/api/upload/image", files={"other": ("a.png", picture(), "image/png")}), 400, field="file"
    )
    refused(boss.post("/api/upload/image", files={"category": (None, "designs")}), 400, field="file")
    refused(boss.post("/api/upload/image", files={"file": (None, "text")}), 400, field="file")
    for bad in ("nope", "../designs", "DESIGNS/", "a\0b"):
        refused(send(picture(), category=bad), 400, field="category")
    refused(boss.post("/api/upload/image", json={"file": "x"}), (400, 415))
    broken = {"Content-Type": "multipart/form-data"}
    refused(boss.post("/api/upload/image", data=b"--x\r\n", headers=broken), 400)
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    refused(boss.post("/api/upload/image", data=b"--y\r\nnonsense", headers=broken), 400)


def test_users_upload_avatars_only(reader, send):
    body = granted(send(picture(), client=reader.client, category="avatars"), IMAGE, 201)
    assert body["object_key"].startswith("avatars/")
    for category in ("designs", "temp"):
        refused(send(picture(), client=reader.client, category=category), 403)
    refused(send(picture(), client=reader.client), 403)


def test_the_list_of_pictures(boss, upload, create, reader):
    free, temp = upload(), upload(category="temp")
    used = create()["r2_object_key"]

    def keys(**query):
        body = granted(boss.get("/api/upload/images", params={"per_page": 100} | query), page_of(IMAGE))
        return {one["object_key"]: one for one in body["items"]}

    everything = keys()
    assert everything[free["object_key"]]["in_use"] is False
    assert everything[used]["in_use"] is True
    assert {name: value for name, value in everything[free["object_key"]].items() if name != "message"} == {
        name: value for name, value in free.items() if name != "message"
    }
    assert temp["object_key"] in keys(category="temp")
    assert all(one.startswith("temp/") for one in keys(category="temp"))
    unused = keys(unused="true")
    assert free["object_key"] in unused
    assert used not in unused
    assert not any(one["in_use"] for one in unused.values())
    refused(boss.get("/api/upload/images", params={"category": "nope"}), 400, field="category")
    refused(boss.get("/api/upload/images", params={"unused": "maybe"}), 400, field="unused")
    refused(reader.client.get("/api/upload/images"), 403)


def test_deleting_a_picture(boss, reader, upload, create, fetch):
    image = upload()
    path = f"/api/upload/image/{image['object_key']}"
    refused(reader.client.delete(path), 403)
    granted(boss.delete(path), MESSAGE)
    assert fetch(image["url"]).status_code == 404
    for one in image["renditions"]:
        assert fetch(one["url"]).status_code == 404
    refused(boss.delete(path), 404)
    listed = granted(boss.get("/api/upload/images", params={"per_page": 100}), page_of(IMAGE))["items"]
    assert image["object_key"] not in [one["object_key"] for one in listed]

    design = create()
    path = f"/api/upload/image/{design['r2_object_key']}"
    refused(boss.delete(path), 409, "image_in_use")
    assert fetch(design["image_url"]).status_code == 200
    granted(boss.delete(f"/api/designs/{design['id']}"), MESSAGE)
    refused(boss.delete(path), 409, "image_in_use")
    granted(boss.delete(f"/api/designs/{design['id']}?purge=true"), MESSAGE)
    granted(boss.delete(path), MESSAGE)


@pytest.mark.parametrize(
    "key",
    [
        SOME_KEY,
        "nope",
        "..%2f..%2fjwt-secret",
        "designs/..%2f..%2fjwt-secret",
        "%2fetc%2fpasswd",
        "a%00b",
        "x" * 2000,
    ],
)
def test_deleting_what_is_no_picture_is_a_404(boss, key, server):
    refused(boss.delete(f"/api/upload/image/{key}"), (400, 404))
    assert (server.data / "jwt-secret").exists()
