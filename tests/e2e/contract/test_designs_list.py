"""The list of designs: who sees what, filters, sorting, ties."""

from datetime import datetime, timedelta, timezone

import pytest

from tests.e2e.contract.calls import until
from tests.e2e.contract.shapes import DESIGN, granted, page_of, page_of_search, refused

pytestmark = pytest.mark.e2e

PAGE = page_of(DESIGN)


@pytest.fixture
def listed(reader, catalogue):
    """The items of a list within the catalogue, as a user or as `client`."""

    def ask(client=None, **query):
        query = {"collection_name": catalogue.collection, "per_page": 100} | query
        body = granted((client or reader.client).get("/api/designs", params=query), PAGE)
        assert body["total"] == len(body["items"]) or "page" in query or query["per_page"] != 100
        return body["items"]

    return ask


def ids(items) -> set[int]:
    found = [one["id"] for one in items]
    assert len(found) == len(set(found))
    return set(found)


def test_users_see_published_designs_only_and_admins_all(boss, catalogue, listed):
    assert ids(listed()) == set(catalogue.ids)
    assert ids(listed(boss)) == {one["id"] for one in catalogue.designs}


def test_a_design_reads_as_it_was_created(boss, catalogue, listed):
    by_id = {one["id"]: one for one in listed(boss)}
    for row, made in zip(catalogue.rows, catalogue.designs, strict=True):
        seen = by_id[made["id"]]
        assert {
            name: seen[name] for name in made if name not in ("view_count", "like_count", "updated_at")
        } == {name: made[name] for name in made if name not in ("view_count", "like_count", "updated_at")}
        for name, value in row.items():
            assert seen[name] == value or (not value and not seen[name])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("category", "Saree"),
        ("style", "Ikat"),
        ("colour", "Red"),
        ("fabric", "Cotton"),
        ("occasion", "Wedding"),
        ("season", "Winter"),
        ("designer_name", "Ritu Rao"),
        ("designer_name", "Élodie Nair"),
    ],
)
def test_a_filter_is_equality_whatever_the_case(catalogue, listed, name, value):
    expected = catalogue.where(lambda one: one[name] == value)
    assert expected
    for spelt in (value, value.upper(), value.lower(), value.swapcase()):
        assert ids(listed(**{name: spelt})) == expected
    for other in (value[:-1], value + "x", "%", value[0] + "%", "_" * len(value), "*", f"{value}' OR '1'='1"):
        assert listed(**{name: other}) == []


def test_the_collection_filter_is_whatever_the_case(catalogue, listed):
    assert ids(listed(collection_name=catalogue.collection.upper())) == set(catalogue.ids)
    assert listed(collection_name=catalogue.collection[:-1]) == []


def test_several_values_by_commas_or_by_repeating(catalogue, listed):
    expected = catalogue.where(lambda one: one["category"] in ("Saree", "Kurta", "Stole"))
    for many in (
        "Saree,kurta,STOLE",
        ["Saree", "Kurta", "Stole"],
        ["Saree,Kurta", "Stole"],
        "Saree, Kurta ,Stole,Nope",
    ):
        assert ids(listed(category=many)) == expected


def test_filters_together_narrow(catalogue, listed):
    expected = catalogue.where(
        lambda one: (
            one["category"] == "Saree" and one["colour"] in ("Red", "Green") and one["fabric"] == "Silk"
        )
    )
    assert ids(listed(category="saree", colour="red,green", fabric="silk", season="winter")) == expected
    assert listed(category="Saree", style="Ikat") == []


def test_the_featured_filter(catalogue, listed, reader):
    assert ids(listed(featured="true")) == catalogue.where(lambda one: one["featured"])
    assert ids(listed(featured="false")) == catalogue.where(lambda one: not one["featured"])
    for bad in ("maybe", "2", "tru", "nein"):
        refused(reader.client.get("/api/designs", params={"featured": bad}), 400, field="featured")


def test_the_status_filter_is_for_admins(boss, reader, catalogue, listed):
    by_status = {}
    for one in catalogue.designs:
        by_status.setdefault(one["status"], set()).add(one["id"])
    for status, expected in by_status.items():
        assert ids(listed(boss, status=status)) == expected
        assert ids(listed(status=status)) == set(catalogue.ids)
    assert ids(listed(boss, status="draft,archived")) == by_status["draft"] | by_status["archived"]
    refused(boss.get("/api/designs", params={"status": "nope"}), 400, field="status")
    assert ids(listed(status="nope")) == set(catalogue.ids)


def test_the_filters_by_date(catalogue, listed, reader):
    middle = catalogue.designs[6]["created_at"]
    after = ids(listed(created_after=middle))
    before = ids(listed(created_before=middle))
    assert after | {catalogue.designs[6]["id"]} >= catalogue.where(lambda one: one["created_at"] >= middle)
    assert after <= catalogue.where(lambda one: one["created_at"] >= middle)
    assert before <= catalogue.where(lambda one: one["created_at"] <= middle)
    assert after | before | {catalogue.designs[6]["id"]} == set(catalogue.ids)
    moment = datetime.fromisoformat(middle)
    abroad = moment.astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat()
    assert ids(listed(created_after=abroad)) == after
    day = (moment + timedelta(days=2)).date().isoformat()
    assert ids(listed(created_before=day)) == set(catalogue.ids)
    assert listed(created_after=day) == []
    assert listed(created_before="2000-01-01T00:00:00Z") == []
    for bad in ("yesterday", "2026-13-45", "12", "2026-01-01T99:00:00Z"):
        for name in ("created_after", "created_before"):
            refused(reader.client.get("/api/designs", params={name: bad}), 400, field=name)


def test_the_orders(catalogue, listed):
    newest = [one["id"] for one in listed()]
    assert newest == [one["id"] for one in listed(sort="newest")]
    assert newest == sorted(newest, reverse=True)
    assert [one["id"] for one in listed(sort="oldest")] == newest[::-1]
    titles = [one["title"] for one in listed(sort="title")]
    assert titles == sorted(titles)
    for sort, name in (("popular", "like_count"), ("most_viewed", "view_count")):
        counts = [one[name] for one in listed(sort=sort)]
        assert counts == sorted(counts, reverse=True)


def test_popular_is_by_likes_and_most_viewed_by_views(reader, create):
    collection = f"Order {id(object())}"
    made = [create(collection_name=collection)["id"] for _ in range(3)]
    query = {"collection_name": collection}
    assert reader.client.post(f"/api/designs/{made[1]}/favorite").status_code == 200
    likes = granted(reader.client.get("/api/designs", params=query | {"sort": "popular"}), PAGE)["items"]
    assert likes[0]["id"] == made[1]
    assert likes[0]["is_favorite"] is True
    assert reader.client.get(f"/api/designs/{made[0]}").status_code == 200

    def first():
        found = granted(reader.client.get("/api/designs", params=query | {"sort": "most_viewed"}), PAGE)[
            "items"
        ]
        return found[0]["id"] == made[0] and found[0]["view_count"] == 1

    until(first)


@pytest.mark.parametrize("sort", ["nope", "-created_at", "id", "title; DROP TABLE", "NEWEST,title"])
def test_an_order_that_is_none_is_a_400(reader, sort):
    refused(reader.client.get("/api/designs", params={"sort": sort}), 400, field="sort")


@pytest.mark.parametrize("sort", ["newest", "oldest", "popular", "most_viewed", "title", "relevance"])
def test_ties_are_broken_so_that_pages_neither_repeat_nor_skip(reader, catalogue, sort):
    query = {"collection_name": catalogue.collection, "sort": sort, "per_page": 5}
    if sort == "relevance":
        query["search"] = catalogue.collection
    rounds = []
    for _ in range(2):
        seen = []
        for page in (1, 2, 3):
            answer = reader.client.get("/api/designs", params=query | {"page": page})
            seen += granted(answer, page_of_search(DESIGN) if "search" in query else PAGE)["items"]
        rounds.append([one["id"] for one in seen])
    assert rounds[0] == rounds[1]
    assert sorted(rounds[0]) == sorted(catalogue.ids)


def test_relevance_without_a_search_breaks_nothing(reader):
    answer = reader.client.get("/api/designs", params={"sort": "relevance"})
    if answer.status_code != 200:
        refused(answer, 400, field="sort")


def test_the_featured_list_is_of_published_designs(boss, reader, catalogue):
    for client in (reader.client, boss):
        found = []
        for page in range(1, 20):
            body = granted(client.get("/api/designs/featured", params={"per_page": 100, "page": page}), PAGE)
            found += body["items"]
            if page >= body["pages"]:
                break
        assert all(one["featured"] and one["status"] == "published" for one in found)
        assert catalogue.where(lambda one: one["featured"]) <= ids(found)


def test_long_queries_break_nothing(reader):
    many = ",".join(f"Value {number}" for number in range(250))
    assert granted(reader.client.get("/api/designs", params={"category": many}), PAGE)["items"] == []
    for name in ("search", "colour"):
        answer = reader.client.get("/api/designs", params={name: "word " * 600})
        if answer.status_code != 200:
            refused(answer, 400, field=name)


def test_a_nul_in_a_filter_breaks_nothing(reader):
    for name in ("search", "q", "category", "sort", "featured", "created_after"):
        answer = reader.client.get("/api/designs", params={name: "a\0b"})
        if answer.status_code != 200:
            refused(answer, 400, field=name)
