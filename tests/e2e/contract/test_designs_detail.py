"""One design: who sees it, its views, its nearest; the public catalogue; the cache."""

import secrets

import pytest
import requests

from tests.e2e.contract.calls import at_once, bearer, until
from tests.e2e.contract.shapes import DESIGN, FACETS, SETTING, granted, items_of, page_of, refused

pytestmark = pytest.mark.e2e

READS = [
    "/api/designs",
    "/api/designs/facets",
    "/api/designs/featured",
    "/api/designs/{id}",
    "/api/designs/{id}/similar",
]


def test_a_design_by_its_id(reader, catalogue):
    made = catalogue.designs[0]
    seen = granted(reader.client.get(f"/api/designs/{made['id']}"), DESIGN)
    counted = {"view_count", "like_count", "updated_at"}
    assert {k: v for k, v in seen.items() if k not in counted} == {
        k: v for k, v in made.items() if k not in counted
    }


def test_a_design_that_is_not_published_is_a_404_to_users(boss, reader, catalogue):
    for one in catalogue.designs[-2:]:
        granted(boss.get(f"/api/designs/{one['id']}"), DESIGN)
        for method, end in (("GET", ""), ("GET", "/similar"), ("POST", "/favorite"), ("DELETE", "/favorite")):
            refused(reader.client.request(method, f"/api/designs/{one['id']}{end}"), 404)


def test_each_200_counts_a_view_and_a_304_none(server, boss, reader, create):
    collection = f"Views {secrets.token_hex(5)}"
    path = f"/api/designs/{create(collection_name=collection)['id']}"
    mark = granted_mark(reader.client.get(path))
    for _ in range(4):
        assert reader.client.get(path, headers={"If-None-Match": mark}).status_code == 304

    def view(token):
        return requests.get(server.address + path, headers=bearer(token), timeout=30).status_code

    tokens = [reader.token, boss.token["access_token"]] * 5
    assert at_once([lambda token=token: view(token) for token in tokens]) == [200] * 10

    def counted():
        items = boss.get("/api/designs", params={"collection_name": collection}).json()["items"]
        return items[0]["view_count"] if items[0]["view_count"] >= 11 else None

    assert until(counted) == 11


def granted_mark(answer):
    assert answer.status_code == 200
    return answer.headers["ETag"]


def test_a_design_deleted_with_views_not_yet_shown_breaks_nothing(boss, reader, design):
    path = f"/api/designs/{design['id']}"
    granted(reader.client.get(path), DESIGN)
    granted(boss.delete(path))
    refused(reader.client.get(path), 404)


def test_similar_designs_are_nearest_first_and_published(boss, reader, create):
    word = secrets.token_hex(4)
    rest = ("Category", "Style", "Colour", "Fabric", "Occasion", "Season", "Designer", "Collection")
    names = (
        "category",
        "style",
        "colour",
        "fabric",
        "occasion",
        "season",
        "designer_name",
        "collection_name",
    )
    alike = {name: f"{value} {word}" for name, value in zip(names, rest, strict=True)}
    one = create(**alike)
    slightly = create(category=alike["category"])
    twin = create(**alike)
    draft = create(**alike, status="draft")
    for client in (reader.client, boss):
        items = granted(client.get(f"/api/designs/{one['id']}/similar"), items_of(DESIGN))["items"]
        found = [item["id"] for item in items]
        assert len(found) <= 10
        assert found[:2] == [twin["id"], slightly["id"]]
        assert one["id"] not in found
        assert draft["id"] not in found
        assert len(set(found)) == len(found)
        few = granted(client.get(f"/api/designs/{one['id']}/similar?limit=1"), items_of(DESIGN))["items"]
        assert [item["id"] for item in few] == [twin["id"]]
    for fine in (1, 50):
        granted(reader.client.get(f"/api/designs/{one['id']}/similar?limit={fine}"), items_of(DESIGN))
    for bad in ("0", "51", "-1", "abc", "9" * 20):
        refused(reader.client.get(f"/api/designs/{one['id']}/similar?limit={bad}"), 400, field="limit")


@pytest.mark.parametrize("path", [*READS, "/api/designs/user/favorites"])
def test_reads_are_private_and_answer_a_known_mark_with_a_304(reader, design, path):
    path = path.format(id=design["id"])
    answer = reader.client.get(path)
    assert answer.status_code == 200
    assert "private" in answer.headers["Cache-Control"]
    mark = answer.headers["ETag"]
    assert mark.removeprefix("W/").startswith('"')
    weak = mark if mark.startswith("W/") else f"W/{mark}"
    for known in (mark, weak, mark.removeprefix("W/"), f'"other", {mark}'):
        again = reader.client.get(path, headers={"If-None-Match": known})
        assert again.status_code == 304, known
        assert again.content == b""
        assert again.headers["ETag"] == mark
        assert "private" in again.headers["Cache-Control"]
        assert again.headers["X-Request-ID"]
    for other in ('"other"', "nonsense", ""):
        assert reader.client.get(path, headers={"If-None-Match": other}).status_code == 200


def test_a_change_changes_the_mark(boss, reader, create):
    collection = f"Marks {secrets.token_hex(5)}"
    made = create(collection_name=collection)
    paths = [f"/api/designs/{made['id']}", f"/api/designs?collection_name={collection}"]

    def marks():
        return [reader.client.get(path).headers["ETag"] for path in paths]

    before = marks()
    assert boss.put(f"/api/designs/{made['id']}", json={"title": "Changed"}).status_code == 200
    changed = marks()
    reader.client.post(f"/api/designs/{made['id']}/favorite")
    liked = marks()
    for old, new in ((before, changed), (changed, liked)):
        assert all(one != other for one, other in zip(old, new, strict=True))


def test_a_mark_does_not_let_a_user_see_what_is_not_his(boss, reader, create):
    draft = create(status="draft")
    mark = granted_mark(boss.get(f"/api/designs/{draft['id']}"))
    refused(reader.client.get(f"/api/designs/{draft['id']}", headers={"If-None-Match": mark}), 404)


def test_the_public_catalogue_is_read_without_a_token(anyone, boss, catalogue):
    number, draft = catalogue.designs[0]["id"], catalogue.designs[-2]["id"]
    paths = [path.format(id=number) for path in READS]
    for path in paths:
        refused(anyone.get(path), 401)

    def turn(value):
        granted(
            boss.put("/api/admin/settings", json={"settings": {"public_catalogue": value}}), items_of(SETTING)
        )

    turn(True)
    try:
        until(lambda: all(anyone.get(path).status_code == 200 for path in paths))
        kinds = [page_of(DESIGN), FACETS, page_of(DESIGN), DESIGN, items_of(DESIGN)]
        for path, kind in zip(paths, kinds, strict=True):
            granted(anyone.get(path), kind)
        assert granted(anyone.get(paths[3]), DESIGN)["is_favorite"] is False
        query = {"collection_name": catalogue.collection, "status": "draft", "per_page": 100}
        seen = granted(anyone.get("/api/designs", params=query), page_of(DESIGN))["items"]
        assert {one["id"] for one in seen} == set(catalogue.ids)
        refused(anyone.get(f"/api/designs/{draft}"), 404)
        refused(anyone.get("/api/designs/user/favorites"), 401)
        refused(anyone.post(f"/api/designs/{number}/favorite"), 401)
        refused(anyone.post("/api/designs", json={}), 401)
    finally:
        turn(False)
    until(lambda: all(anyone.get(path).status_code == 401 for path in paths))
