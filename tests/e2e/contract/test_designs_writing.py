"""Creating, changing and deleting designs; input good and bad."""

import unicodedata

import pytest

from tests.e2e.contract.shapes import DESIGN, MESSAGE, OPTIONAL, VERSION, granted, page_of, refused

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def key(upload) -> str:
    return upload()["object_key"]


def test_a_created_design_has_its_defaults_and_its_picture(boss, reader, upload, fetch):
    image = upload()
    body = {"title": "T", "r2_object_key": image["object_key"], "category": "C"}
    made = granted(boss.post("/api/designs", json=body), DESIGN, 201)
    assert (made["status"], made["featured"], made["view_count"], made["like_count"]) == (
        "published",
        False,
        0,
        0,
    )
    assert made["is_favorite"] is False
    assert all(not made[name] for name in OPTIONAL)
    assert made["image_url"] == image["url"]
    assert made["image"] == {name: image[name] for name in made["image"]}
    assert fetch(made["image_url"]).status_code == 200
    assert granted(reader.client.get(f"/api/designs/{made['id']}"), DESIGN)["image"] == made["image"]


def test_text_is_stored_as_sent_and_trimmed(create):
    title = f"{unicodedata.normalize('NFD', 'Crème')} देवनागरी தமிழ் 🪔 <b>&amp;</b> ' \" % \\"
    made = create(title=f" \t{title}\n ", description="  Two\nlines  of ज़री \n", category=" Saree ")
    assert made["title"] == title
    assert made["description"] == "Two\nlines  of ज़री"
    assert made["category"] == "Saree"


def test_fields_that_the_server_keeps_are_ignored(boss, create):
    made = create(
        id=1,
        view_count=99,
        like_count=99,
        is_favorite=True,
        created_at="2001-01-01T00:00:00Z",
        nope={"a": []},
    )
    assert (made["view_count"], made["like_count"], made["is_favorite"]) == (0, 0, False)
    assert not made["created_at"].startswith("2001")
    changed = boss.put(f"/api/designs/{made['id']}", json={"id": 1, "like_count": 5, "nope": 1})
    assert granted(changed, DESIGN)["id"] == made["id"]
    assert changed.json()["like_count"] == 0


def test_what_is_missing_is_named(boss):
    body = refused(boss.post("/api/designs", json={}), 400, field="title")
    assert {"title", "r2_object_key", "category"} <= body["errors"].keys()


def test_the_bounds_of_texts(create):
    made = create(title="t" * 200, category="c" * 50)
    assert (len(made["title"]), len(made["category"])) == (200, 50)
    made = create(title="ज़" * 100, category="🪔" * 50)
    assert (made["title"], made["category"]) == ("ज़" * 100, "🪔" * 50)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("title", value) for value in ("", "   ", "t" * 201, None, [], {}, True, ["a"], "a\0b", {"a": 1})],
        *[("category", value) for value in ("", "  ", "c" * 51, None, [], {}, False, "a\0b")],
        *[("status", value) for value in ("nope", "", 5, [], "Published ")],
        *[("featured", value) for value in ("maybe", [], {}, 7)],
        *[("description", value) for value in ("a\0b", [], {}, True)],
        *[("colour", value) for value in ("a\0b", [], {}, True, "c" * 5000)],
        *[("r2_object_key", value) for value in ("", None, 5, [], {}, "a\0b")],
    ],
    ids=lambda value: repr(value)[:24],
)
def test_a_bad_value_is_named_and_changes_nothing(boss, key, design, name, value):
    before = granted(boss.get("/api/designs"), page_of(DESIGN))["total"]
    good = {"title": "Fine", "category": "Fine", "r2_object_key": key}
    refused(boss.post("/api/designs", json=good | {name: value}), 400, field=name)
    if name != "r2_object_key":
        good.pop("r2_object_key")
    refused(boss.put(f"/api/designs/{design['id']}", json=good | {name: value}), 400, field=name)
    page = granted(boss.get("/api/designs"), page_of(DESIGN))
    assert page["total"] == before
    assert next(one for one in page["items"] if one["id"] == design["id"])["title"] == design["title"]


@pytest.mark.parametrize("name", ["status", "featured"])
def test_null_for_what_has_a_default_breaks_nothing(boss, key, design, name):
    path = f"/api/designs/{design['id']}"
    body = {"title": "T", "category": "C", "r2_object_key": key, name: None}
    for answer, status in (
        (boss.post("/api/designs", json=body), 201),
        (boss.put(path, json={name: None}), 200),
    ):
        if answer.status_code == status:
            assert granted(answer, DESIGN, status)[name] == design[name]
        else:
            refused(answer, 400, field=name)


@pytest.mark.parametrize("value", [5, 1.5])
def test_a_number_for_a_text_breaks_nothing(boss, key, value):
    answer = boss.post("/api/designs", json={"title": value, "category": "Fine", "r2_object_key": key})
    if answer.status_code != 201:
        refused(answer, 400, field="title")


def test_a_key_that_is_no_stored_picture_of_a_design_is_named(boss, upload):
    presigned = boss.get(
        "/api/upload/presigned-url", params={"content_type": "image/png", "size": 100}
    ).json()
    keys = [
        "designs/2020/01/1577836800_00000000000000000000000000000000.jpg",
        "../../etc/passwd",
        "/etc/passwd",
        "designs/../jwt-secret",
        "http://evil.example/a.jpg",
        "x" * 3000,
        upload(category="avatars")["object_key"],
        upload(category="temp")["object_key"],
        presigned["object_key"],
    ]
    for key in keys:
        body = {"title": "T", "category": "C", "r2_object_key": key}
        refused(boss.post("/api/designs", json=body), 400, field="r2_object_key")


def test_changing_some_fields_leaves_the_others(boss, create, upload):
    made = create(colour="Red", style="Plain", description="Long")
    path = f"/api/designs/{made['id']}"
    changed = granted(boss.put(path, json={"colour": "Green", "featured": True}), DESIGN)
    assert changed == made | {
        "colour": "Green",
        "featured": True,
        "version": 2,
        "updated_at": changed["updated_at"],
    }
    assert changed["updated_at"] > made["updated_at"]
    assert granted(boss.get(path), DESIGN) | {"view_count": 0} == changed
    same = granted(boss.put(path, json={}), DESIGN)
    assert same | {"updated_at": ""} == changed | {"updated_at": ""}
    for empty in ("", None):
        assert not granted(boss.put(path, json={"style": empty}), DESIGN)["style"]
    image = upload()
    moved = granted(boss.put(path, json={"r2_object_key": image["object_key"]}), DESIGN)
    assert (moved["image_url"], moved["r2_object_key"]) == (image["url"], image["object_key"])


def test_several_pictures_in_their_order(boss, reader, upload, create):
    first, second, third = upload(), upload(), upload()
    made = create(image_keys=[first["object_key"], {"object_key": second["object_key"], "alt": "किनारा"}])
    assert [(one["url"], one["alt"]) for one in made["images"]] == [
        (first["url"], ""),
        (second["url"], "किनारा"),
    ]
    assert made["image_url"] == first["url"]
    path = f"/api/designs/{made['id']}"
    sent = [third["object_key"], first["object_key"], second["object_key"]]
    changed = granted(boss.put(path, json={"image_keys": sent}), DESIGN)
    assert [one["object_key"] for one in changed["images"]] == sent
    assert granted(reader.client.get(path), DESIGN)["images"] == changed["images"]
    refused(boss.delete(f"/api/upload/image/{sent[2]}"), 409, code="image_in_use")
    refused(boss.put(path, json={"image_keys": []}), 400, field="image_keys")
    refused(boss.put(path, json={"image_keys": [sent[0], sent[0]]}), 400, field="image_keys")


def test_a_change_with_one_bad_field_changes_nothing(boss, design):
    path = f"/api/designs/{design['id']}"
    refused(boss.put(path, json={"title": "Half", "colour": "Half", "status": "nope"}), 400, field="status")
    assert granted(boss.get(path), DESIGN) | {"view_count": 0} == design


def test_taking_a_design_back_hides_it_from_users(boss, reader, design):
    path = f"/api/designs/{design['id']}"
    for status, seen in (("draft", 404), ("published", 200), ("archived", 404), ("published", 200)):
        assert granted(boss.put(path, json={"status": status}), DESIGN)["status"] == status
        assert reader.client.get(path).status_code == seen


def test_deleting_a_design(boss, reader, design):
    path = f"/api/designs/{design['id']}"
    reader.client.post(f"{path}/favorite")
    granted(boss.delete(path), MESSAGE)
    assert granted(boss.get(path), DESIGN)["status"] == "deleted"
    for answer in (
        reader.client.get(path),
        boss.delete(path),
        boss.put(path, json={}),
        reader.client.post(f"{path}/favorite"),
    ):
        refused(answer, 404)
    mine = granted(
        reader.client.get("/api/designs/user/favorites", params={"per_page": 100}), page_of(DESIGN)
    )
    assert design["id"] not in [one["id"] for one in mine["items"]]
    restored = granted(boss.post(f"{path}/restore"), DESIGN)
    assert (restored["status"], restored["like_count"], restored["version"]) == ("published", 1, 3)
    page = granted(boss.get(f"{path}/versions"), page_of(VERSION))
    assert [one["version"] for one in page["items"]] == [3, 2, 1]
    granted(boss.delete(f"{path}?purge=true"), MESSAGE)
    for answer in (boss.get(path), boss.get(f"{path}/versions"), boss.post(f"{path}/restore")):
        refused(answer, 404)


def test_an_edit_of_an_older_version(boss, design):
    path = f"/api/designs/{design['id']}"
    granted(boss.put(path, json={"title": "Theirs"}), DESIGN)
    body = refused(boss.put(path, json={"title": "Mine", "version": 1}), 409, "edit_conflict", field="title")
    assert body["current"] == granted(boss.get(path), DESIGN) | {"view_count": body["current"]["view_count"]}
    assert granted(boss.put(path, json={"colour": "Mine", "version": 1}), DESIGN)["title"] == "Theirs"


def test_two_designs_may_want_the_same_picture(boss, key):
    for _ in range(2):
        answer = boss.post("/api/designs", json={"title": "T", "category": "C", "r2_object_key": key})
        if answer.status_code != 201:
            refused(answer, (400, 409))
