"""Several pictures of a design: ordered, each once, with alternative texts; the first is the cover."""

import pytest

from core.models import AuditEntry
from designs.models import Design, DesignImage
from tests.api.client import ApiClient, refused
from tests.factories.designs import DesignFactory, DesignImageFactory, FavouriteFactory
from tests.factories.uploads import ImageFactory
from uploads.models import Image

pytestmark = pytest.mark.django_db

LIST = "/api/designs"
MEDIA = "http://testserver/media/"


def keys(count):
    return [image.object_key for image in ImageFactory.create_batch(count)]


def new(**fields):
    return {"title": "Patola", "category": "Saree"} | fields


def shown(body):
    return [picture["object_key"] for picture in body["images"]]


def design_of(*keys):
    """A design with the pictures of these keys."""
    cover, *rest = (Image.objects.get(object_key=key) for key in keys)
    design = DesignFactory(image=cover)
    for place, image in enumerate(rest, start=1):
        DesignImageFactory(design=design, place=place, image=image, alt=f"alt {place}")
    return design


def path_of(design):
    return f"{LIST}/{design.pk}"


@pytest.fixture
def admin():
    return ApiClient.admin()


def test_a_design_shows_its_pictures_in_order_with_all_that_is_known_of_them(admin):
    first, second, third = ImageFactory(width=1200), ImageFactory(width=600), ImageFactory()
    sent = [
        {"object_key": first.object_key, "alt": " पल्लू "},
        second.object_key,
        {"object_key": third.object_key},
    ]

    response = admin.post(LIST, new(image_keys=sent))

    body = response.json()
    assert response.status_code == 201, body
    assert [(picture["object_key"], picture["alt"]) for picture in body["images"]] == [
        (first.object_key, "पल्लू"), (second.object_key, ""), (third.object_key, ""),
    ]  # fmt: skip
    assert (body["r2_object_key"], body["image_url"]) == (first.object_key, MEDIA + first.object_key)
    assert body["images"][0] == body["image"] | {
        "object_key": first.object_key, "url": body["image_url"], "alt": "पल्लू",
    }  # fmt: skip
    shown_second = body["images"][1]
    assert (shown_second["width"], shown_second["thumbhash"]) == (600, second.thumbhash)
    assert shown_second["url"] == MEDIA + second.object_key
    assert [one["url"] for one in shown_second["renditions"]] == [
        MEDIA + one["key"] for one in second.renditions
    ]
    assert "image_keys" not in body
    assert admin.get(f"{LIST}/{body['id']}").json() == body


def test_every_list_has_them(admin):
    design = design_of(*keys(3))
    Design.objects.update(featured=True)
    FavouriteFactory(user=admin.user, design=design)
    other = DesignFactory()
    body = admin.get(path_of(design)).json()
    assert len(body["images"]) == 3
    for path in ("", "/featured", "/user/favorites", "?search=design", "?sort=most_viewed"):
        items = admin.get(LIST + path).json()["items"]
        assert body["images"] in [item["images"] for item in items], path
    assert body["images"] in [
        item["images"] for item in admin.get(f"{path_of(other)}/similar").json()["items"]
    ]


def test_eight_are_taken_and_image_keys_replaces_them_all(admin):
    eight = keys(8)
    body = admin.post(LIST, new(image_keys=eight)).json()
    path = f"{LIST}/{body['id']}"
    assert shown(body) == eight
    for sent in (eight[::-1], [eight[3], *keys(1), eight[7]], [eight[5]], eight[2:6]):
        response = admin.put(path, {"image_keys": sent})
        assert response.status_code == 200, response.json()
        assert shown(response.json()) == sent
        assert admin.get(path).json() == response.json()


def test_an_alternative_text_is_that_of_the_last_list(admin):
    first, second = keys(2)
    design = design_of(first, second)
    sent = [{"object_key": second, "alt": "Border"}, {"object_key": first, "alt": None}]
    body = admin.put(path_of(design), {"image_keys": sent}).json()
    assert [picture["alt"] for picture in body["images"]] == ["Border", ""]
    body = admin.put(path_of(design), {"image_keys": [second, first]}).json()
    assert [picture["alt"] for picture in body["images"]] == ["", ""]


class TestTheCoverAlone:
    def test_is_replaced_and_the_rest_stays(self, admin):
        first, second, third, fourth = keys(4)
        design = design_of(first, second, third)
        body = admin.put(path_of(design), {"r2_object_key": fourth}).json()
        assert shown(body) == [fourth, second, third]
        assert [picture["alt"] for picture in body["images"]] == ["", "alt 1", "alt 2"]
        assert admin.get(path_of(design)).json() == body

    def test_moves_to_the_front_where_it_is_among_the_rest(self, admin):
        first, second, third = keys(3)
        design = design_of(first, second, third)
        body = admin.put(path_of(design), {"r2_object_key": third}).json()
        assert shown(body) == [third, first, second]
        assert [picture["alt"] for picture in body["images"]] == ["alt 2", "", "alt 1"]
        assert admin.get(path_of(design)).json() == body

    def test_stays_with_its_text_where_it_is_the_cover(self, admin):
        first, second = keys(2)
        design = design_of(first, second)
        Design.objects.update(image_alt="Pallu")
        body = admin.put(path_of(design), {"r2_object_key": first, "title": "New"}).json()
        assert (shown(body), body["images"][0]["alt"]) == ([first, second], "Pallu")

    def test_may_stand_beside_a_list_that_begins_with_it(self, admin):
        first, second = keys(2)
        sent = {"r2_object_key": first, "image_keys": [{"object_key": first, "alt": "x"}, second]}
        body = admin.post(LIST, new(**sent)).json()
        assert (shown(body), body["images"][0]["alt"]) == ([first, second], "x")
        refusal = admin.put(f"{LIST}/{body['id']}", {"r2_object_key": second, "image_keys": [first, second]})
        assert set(refused(refusal, 400, "invalid")) == {"image_keys"}
        refusal = admin.post(LIST, new(r2_object_key=second, image_keys=[first]))
        assert set(refused(refusal, 400, "invalid")) == {"image_keys"}


BAD = {
    "nothing": lambda key: None,
    "an empty list": lambda key: [],
    "nine": lambda key: [key, *keys(8)],
    "a key twice": lambda key: [key, {"object_key": key, "alt": "again"}],
    "a key": lambda key: key,
    "an object": lambda key: {"object_key": key},
    "a null among them": lambda key: [key, None],
    "a number among them": lambda key: [key, 7],
    "a list among them": lambda key: [[key]],
    "an empty key": lambda key: [key, ""],
    "an object without a key": lambda key: [key, {"alt": "x"}],
    "an alternative text too long": lambda key: [{"object_key": key, "alt": "x" * 301}],
    "an alternative text that is none": lambda key: [{"object_key": key, "alt": 5}],
    "a NUL": lambda key: [{"object_key": key, "alt": "a\0b"}],
    "an unknown key": lambda key: [key, "designs/2026/01/nothing.jpg"],
    "an avatar": lambda key: [key, ImageFactory(category="avatars").object_key],
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_list_is_named_and_nothing_is_stored(admin, bad):
    (key,) = keys(1)
    design = design_of(*keys(2))
    before = admin.get(path_of(design)).json()
    sent = {"image_keys": bad(key), "title": "New", "category": "Saree"}
    for response in (admin.post(LIST, sent), admin.put(path_of(design), sent)):
        errors = refused(response, 400, "invalid")
        assert set(errors) == {"image_keys"}
        assert all(isinstance(sentence, str) for sentence in errors["image_keys"])
    assert admin.get(path_of(design)).json() == before
    assert not AuditEntry.objects.exists()


def test_the_longest_alternative_text_in_any_script_is_kept(admin):
    (key,) = keys(1)
    text = "सुनहरी\nज़री 🪷 " + "x" * 286
    body = admin.post(LIST, new(image_keys=[{"object_key": key, "alt": text}])).json()
    assert len(text) == 300
    assert body["images"][0]["alt"] == text


def test_another_change_leaves_the_pictures_and_answers_them(admin):
    design = design_of(*keys(3))
    before = admin.get(path_of(design)).json()
    body = admin.put(path_of(design), {"title": "New"}).json()
    assert body["images"] == before["images"]
    assert admin.get(path_of(design)).json() == body


def test_a_change_of_the_rest_alone_is_seen_by_those_who_hold_an_etag(admin):
    design = design_of(*keys(3))
    etag = admin.get(LIST).headers["ETag"]
    DesignImage.objects.filter(design=design, place=2).update(alt="Border")
    response = admin.http.get(LIST, headers={**admin.headers, "If-None-Match": etag})
    assert response.status_code == 200
    assert response.json()["items"][0]["images"][2]["alt"] == "Border"
    etag = response.headers["ETag"]
    DesignImage.objects.filter(design=design, place=2).delete()
    response = admin.http.get(LIST, headers={**admin.headers, "If-None-Match": etag})
    assert len(response.json()["items"][0]["images"]) == 2


def test_each_picture_is_in_use_until_no_design_shows_it(admin):
    first, second = keys(2)
    body = admin.post(LIST, new(image_keys=[first, second])).json()
    images = admin.get("/api/upload/images").json()["items"]
    assert {image["object_key"]: image["in_use"] for image in images} == {first: True, second: True}
    assert admin.get("/api/upload/images", unused="true").json()["items"] == []
    for key in (first, second):
        refused(admin.delete(f"/api/upload/image/{key}"), 409, "image_in_use")
    assert admin.put(f"{LIST}/{body['id']}", {"image_keys": [second]}).status_code == 200
    (unused,) = admin.get("/api/upload/images", unused="true").json()["items"]
    assert unused["object_key"] == first
    assert admin.delete(f"/api/upload/image/{first}").status_code == 200
    refused(admin.delete(f"/api/upload/image/{second}"), 409, "image_in_use")


def test_the_trail_has_the_lists_as_they_are_sent(admin):
    first, second, third = keys(3)
    with_text = {"object_key": second, "alt": "Border"}
    path = f"{LIST}/{admin.post(LIST, new(image_keys=[first, with_text])).json()['id']}"
    admin.put(path, {"image_keys": [first, with_text]})
    admin.put(path, {"r2_object_key": third})
    admin.put(path, {"image_keys": [with_text, first]})
    changes = [entry.changes.get("image_keys") for entry in AuditEntry.objects.order_by("id")]
    assert changes == [
        [None, [first, with_text]],
        [[first, with_text], [third, with_text]],
        [[third, with_text], [with_text, first]],
    ]


def test_a_purged_design_frees_its_pictures(admin):
    first, second = keys(2)
    design = design_of(first, second)
    assert admin.delete(f"{path_of(design)}?purge=true").status_code == 200
    assert AuditEntry.objects.get().changes["image_keys"] == [
        [first, {"object_key": second, "alt": "alt 1"}], None,
    ]  # fmt: skip
    for key in (first, second):
        assert admin.delete(f"/api/upload/image/{key}").status_code == 200
