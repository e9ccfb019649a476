"""GET /api/designs: pages, filters, order, and what each caller sees."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import app_settings
from designs.models import Design
from tests.api.client import ApiClient, refused
from tests.e2e.contract.shapes import FACET_FIELDS
from tests.factories.designs import DesignFactory, FavouriteFactory

pytestmark = pytest.mark.django_db

LIST = "/api/designs"


def titles(response):
    assert response.status_code == 200, response.content
    return [item["title"] for item in response.json()["items"]]


def test_a_design_is_answered_with_every_field_of_the_contract():
    design = DesignFactory(title="कांजीवरम साड़ी", fabric="Silk")
    reader = ApiClient.approved()
    FavouriteFactory(user=reader.user, design=design)

    body = reader.get(LIST).json()

    assert {name: body[name] for name in ("total", "page", "per_page", "pages")} == {
        "total": 1, "page": 1, "per_page": 20, "pages": 1,
    }  # fmt: skip
    (item,) = body["items"]
    cover = {"object_key": design.image_id, "url": item["image_url"], "alt": ""}
    assert item.pop("images") == [cover | item["image"]]
    assert item == {
        "id": design.pk,
        "title": "कांजीवरम साड़ी",
        "description": "",
        "image_url": f"http://testserver/media/{design.image_id}",
        "r2_object_key": design.image_id,
        **dict.fromkeys(FACET_FIELDS, ""),
        "category": "Saree",
        "fabric": "Silk",
        "featured": False,
        "status": "published",
        "view_count": 0,
        "like_count": 1,
        "version": 1,
        "created_at": item["created_at"],
        "updated_at": item["updated_at"],
        "is_favorite": True,
        "image": {
            "width": 900,
            "height": 1200,
            "dominant_colour": design.image.dominant_colour,
            "thumbhash": design.image.thumbhash,
            "renditions": [
                {
                    "width": rendition["width"],
                    "height": rendition["height"],
                    "format": "webp",
                    "url": f"http://testserver/media/{rendition['key']}",
                }
                for rendition in design.image.renditions
            ],
        },
    }
    assert datetime.fromisoformat(item["created_at"]) == design.created_at
    assert item["created_at"].endswith("Z")


def test_is_favorite_is_the_callers_own():
    FavouriteFactory()
    assert ApiClient.approved().get(LIST).json()["items"][0]["is_favorite"] is False


def test_strangers_read_only_while_the_catalogue_is_public():
    FavouriteFactory()
    refused(ApiClient().get(LIST), 401, "not_authenticated")

    app_settings.settings_update(None, {"public_catalogue": True})

    (item,) = ApiClient().get(LIST).json()["items"]
    assert (item["is_favorite"], item["like_count"]) == (False, 1)
    refused(ApiClient(token="forged").get(LIST), 401, "invalid_token")


def test_users_see_published_designs_and_admins_every_status():
    for status in ("draft", "published", "archived"):
        DesignFactory(title=status, status=status)
    user, admin = ApiClient.approved(), ApiClient.admin()

    assert titles(user.get(LIST)) == ["published"]
    assert titles(user.get(LIST, status="draft")) == ["published"]
    assert titles(user.get(LIST, status="nonsense")) == ["published"]
    assert titles(admin.get(LIST)) == ["archived", "published", "draft"]
    assert titles(admin.get(LIST, status="draft,archived")) == ["archived", "draft"]
    assert "status" in refused(admin.get(LIST, status="nonsense"), 400, "invalid")


def test_values_of_a_filter_are_alternatives_by_commas_or_by_repeating_and_in_any_case():
    for colour in ("Red", "blue", "Green"):
        DesignFactory(title=colour, colour=colour)
    reader = ApiClient.approved()

    assert titles(reader.get(LIST, colour="RED,Blue")) == ["blue", "Red"]
    assert titles(reader.get(LIST, colour=["red", "green"])) == ["Green", "Red"]
    assert titles(reader.get(LIST, colour=" red , ")) == ["Red"]
    assert titles(reader.get(LIST, colour="", unknown="x")) == ["Green", "blue", "Red"]
    assert titles(reader.get(LIST, colour="re")) == []


def test_filters_of_several_fields_narrow_together():
    DesignFactory(title="both", colour="Red", fabric="Silk")
    DesignFactory(title="one", colour="Red", fabric="Cotton")
    assert titles(ApiClient.approved().get(LIST, colour="red", fabric="silk")) == ["both"]


@pytest.mark.parametrize("field", FACET_FIELDS)
def test_every_attribute_filters_in_any_script_and_case(field):
    DesignFactory(title="wanted", **{field: "Émeraude"})
    DesignFactory(title="other", **{field: "தமிழ்"})
    reader = ApiClient.approved()
    assert titles(reader.get(LIST, **{field: "éMERAUDE"})) == ["wanted"]
    assert titles(reader.get(LIST, **{field: "தமிழ்"})) == ["other"]


def test_featured_filters_both_ways():
    DesignFactory(title="star", featured=True)
    DesignFactory(title="plain")
    reader = ApiClient.approved()
    assert titles(reader.get(LIST, featured="true")) == ["star"]
    assert titles(reader.get(LIST, featured="False")) == ["plain"]
    assert titles(reader.get(LIST, featured="true,false")) == ["plain", "star"]
    assert "featured" in refused(reader.get(LIST, featured="yes"), 400, "invalid")


def test_dates_of_creation_bound_from_then_and_before_then():
    for day in (1, 2, 3):
        DesignFactory(title=f"day {day}", created_at=datetime(2026, 5, day, 12, tzinfo=UTC))
    reader = ApiClient.approved()

    assert titles(reader.get(LIST, created_after="2026-05-02")) == ["day 3", "day 2"]
    assert titles(reader.get(LIST, created_before="2026-05-02")) == ["day 1"]
    assert titles(reader.get(LIST, created_after="2026-05-02T12:00:00Z")) == ["day 3", "day 2"]
    assert titles(reader.get(LIST, created_before="2026-05-02T12:00:00Z")) == ["day 1"]
    assert titles(reader.get(LIST, created_after="2026-05-03T17:30:00+05:30")) == ["day 3"]


@pytest.mark.parametrize("bad", ["yesterday", "2026-13-01", "0001-01-01T00:00:00+14:00", "2026", "\0"])
@pytest.mark.parametrize("name", ["created_after", "created_before"])
def test_a_bad_date_is_named(name, bad):
    assert set(refused(ApiClient.approved().get(LIST, **{name: bad}), 400, "invalid")) == {name}


def test_every_fault_of_a_query_is_named_at_once():
    errors = refused(ApiClient.approved().get(LIST, sort="best", featured="x", colour="\0"), 400, "invalid")
    assert set(errors) == {"sort", "featured", "colour"}


def test_each_sort_orders_and_breaks_ties_by_id():
    DesignFactory(title="b", created_at=datetime(2026, 1, 1, tzinfo=UTC), view_count=5)
    DesignFactory(title="A", created_at=datetime(2026, 1, 2, tzinfo=UTC), view_count=5)
    liked = DesignFactory(title="c", created_at=datetime(2026, 1, 2, tzinfo=UTC))
    FavouriteFactory(design=liked)
    reader = ApiClient.approved()

    assert titles(reader.get(LIST)) == ["c", "A", "b"]
    assert titles(reader.get(LIST, sort="newest")) == ["c", "A", "b"]
    assert titles(reader.get(LIST, sort="oldest")) == ["b", "A", "c"]
    assert titles(reader.get(LIST, sort="popular")) == ["c", "A", "b"]
    assert titles(reader.get(LIST, sort="most_viewed")) == ["A", "b", "c"]
    assert titles(reader.get(LIST, sort="title")) == ["A", "b", "c"]
    assert titles(reader.get(LIST, sort="relevance")) == ["c", "A", "b"]


@pytest.mark.parametrize("sort", ["newest", "oldest", "popular", "most_viewed", "title", "relevance"])
@pytest.mark.parametrize("number", [3, 10**6, 10**20, 10**39])
@pytest.mark.parametrize("designs", [0, 2])
def test_a_page_however_far_past_the_end_is_empty_in_every_order(sort, number, designs):
    reader = ApiClient.approved()
    for _ in range(designs):
        FavouriteFactory(user=reader.user, design=DesignFactory(title="silk"))
    paths = (LIST, f"{LIST}/featured", f"{LIST}/user/favorites")
    for path, search in [*((path, "") for path in paths), (LIST, "silk")]:
        body = reader.get(path, sort=sort, page=number, search=search).json()
        assert (body["items"], body["page"]) == ([], number)


def test_pages_neither_repeat_nor_skip_and_one_past_the_end_is_empty():
    same = datetime(2026, 1, 1, tzinfo=UTC)
    ids = {DesignFactory(created_at=same).pk for _ in range(7)}
    reader = ApiClient.approved()
    for sort in ("newest", "oldest", "popular", "most_viewed", "title"):
        pages = [reader.get(LIST, page=page, per_page=3, sort=sort).json() for page in (1, 2, 3, 4)]
        seen = [item["id"] for page in pages for item in page["items"]]
        assert len(seen) == 7
        assert set(seen) == ids
        assert pages[3]["items"] == []
        assert [page["pages"] for page in pages] == [3, 3, 3, 3]


@pytest.mark.parametrize("query", [{"page": "0"}, {"per_page": "101"}, {"page": "x"}, {"per_page": "-1"}])
def test_a_bad_page_is_named(query):
    assert set(refused(ApiClient.approved().get(LIST, **query), 400, "invalid")) == set(query)


def test_a_page_of_twenty_digits_is_empty():
    DesignFactory()
    assert titles(ApiClient.approved().get(LIST, page="9" * 20)) == []


@pytest.mark.parametrize("per_page", [1, 20, 100])
@pytest.mark.parametrize("query", [{}, {"search": "Design"}, {"category": "saree", "sort": "popular"}])
def test_a_page_costs_few_queries_whatever_its_size(per_page, query):
    DesignFactory.create_batch(25)
    reader = ApiClient.approved()
    # What the first has found out is remembered; without the copy the rows, the order and the total are three, and a
    # search carries what its reading may need.
    on_d1 = 10 if "search" in query else 4
    for most in (10, on_d1) if hasattr(connection, "round_trips") else (9, 3):
        with CaptureQueriesContext(connection) as queries:
            assert titles(reader.get(LIST, per_page=per_page, **query))
        assert len(queries) <= most, [query["sql"] for query in queries]


def test_featured_designs_are_a_page_of_published_ones():
    DesignFactory(title="star", featured=True)
    DesignFactory(title="hidden star", featured=True, status="draft")
    DesignFactory(title="plain")
    for reader in (ApiClient.approved(), ApiClient.admin()):
        assert titles(reader.get("/api/designs/featured")) == ["star"]
    refused(ApiClient().get("/api/designs/featured"), 401, "not_authenticated")


def test_featured_designs_stand_in_the_order_of_staff_and_the_others_follow_newest_first():
    for title, place in (("old", None), ("second", 2), ("new", None), ("first", 1), ("second too", 2)):
        DesignFactory(title=title, featured=True, featured_place=place)
    DesignFactory(title="plain", featured_place=1)
    reader = ApiClient.approved()
    expected = ["first", "second too", "second", "new", "old"]
    assert titles(reader.get("/api/designs/featured")) == expected
    assert titles(reader.get(LIST, featured="true"))[0] == "second too"
    Design.objects.filter(title="old").update(featured_place=0)
    assert titles(reader.get("/api/designs/featured")) == ["old", *expected[:-1]]


def test_a_list_that_the_caller_has_is_answered_with_304():
    design = DesignFactory()
    reader = ApiClient.approved()
    first = reader.get(LIST)
    etag = first.headers["ETag"]
    assert "private" in first.headers["Cache-Control"]
    assert "Authorization" in first.headers["Vary"]

    for sent in (etag, f'"other", {etag}', "*", etag.removeprefix("W/")):
        again = reader.send("GET", LIST, headers={"If-None-Match": sent})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag), sent

    reader.post(f"/api/designs/{design.pk}/favorite")
    changed = reader.send("GET", LIST, headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != etag
