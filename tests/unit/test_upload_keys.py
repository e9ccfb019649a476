"""The names of objects."""

import pytest

from uploads.keys import ACCEPTED, is_object, is_original, new_key, rendition_key

UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.mark.parametrize("category", ["designs", "avatars", "temp"])
@pytest.mark.parametrize("content_type", ACCEPTED)
def test_a_new_key_is_one_and_says_its_type(category, content_type):
    key = new_key(category, content_type)
    assert is_original(key)
    assert key.startswith(f"{category}/")
    assert key.endswith(f".{ACCEPTED[content_type]}")


def test_a_rendition_lies_beside_its_image_and_is_named_for_its_bytes():
    key = new_key("designs", "image/jpeg")
    small = rendition_key(key, 320, b"these")
    assert small.startswith(key.removesuffix(".jpg"))
    assert is_object(small)
    assert not is_original(small)
    assert rendition_key(key, 320, b"those") != small
    assert rendition_key(key, 320, b"these") == small


@pytest.mark.parametrize(
    "key",
    [
        "",
        "designs",
        f"designs/2026/11/1764000000_{UUID}.gif",
        f"designs/2026/11/1764000000_{UUID}.jpg\n",
        f"designs/2026/11/1764000000_{UUID}.jpg/",
        f"/designs/2026/11/1764000000_{UUID}.jpg",
        f"designs/2026/../1764000000_{UUID}.jpg",
        f"designs/२०२६/11/1764000000_{UUID}.jpg",
        f"secrets/2026/11/1764000000_{UUID}.jpg",
        f"designs/2026/11/1764000000_{UUID.upper()}.jpg",
        f"designs/2026/11/1764000000_{UUID}.jpg\0.png",
        "../../etc/passwd",
    ],
)
def test_anything_else_is_no_key(key):
    assert not is_object(key)
    assert not is_original(key)
