"""Lists of designs by cursor: `after=<next>` shows every design once, whatever staff do in the meantime."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from django.core.signing import Signer
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from designs.api import pages
from designs.models import CatalogueVersion, Design
from designs.places import SHOWN_LAST, Part, Place
from designs.queries import DesignQuery, Sort, favourites_query
from tests.api.client import ApiClient, refused
from tests.factories.accounts import UserFactory
from tests.factories.designs import DesignFactory, FavouriteFactory
from tests.factories.uploads import ImageFactory

pytestmark = pytest.mark.django_db

LIST = "/api/designs"
FAVOURITES = f"{LIST}/user/favorites"
SORTS = [str(sort) for sort in Sort]
LISTS = [
    *((LIST, {"sort": sort}) for sort in SORTS),
    *((LIST, {"sort": sort, "search": "silk"}) for sort in SORTS),
    (LIST, {"category": "saree,stole", "featured": "true"}),
    (f"{LIST}/featured", {}),
    (FAVOURITES, {}),
]
every_list = pytest.mark.parametrize(
    ("path", "query"), LISTS, ids=[f"{path} {' '.join(query.values())}" for path, query in LISTS]
)


def page_of(reader, path, **query):
    response = reader.get(path, **query)
    assert response.status_code == 200, response.content
    return response.json()


def ids(page):
    return [item["id"] for item in page["items"]]


def walk(reader, path, *, between=lambda: None, **query):
    """The ids of all pages, each asked for by the cursor of the one before; `between` two of them something happens."""
    page = page_of(reader, path, **query)
    seen = ids(page)
    while page["next"] is not None:
        between()
        page = page_of(reader, path, after=page["next"], **query)
        seen += ids(page)
    return seen


@pytest.fixture
def reader():
    """A reader whose favourites are all designs of the catalogue, which has many ties."""
    reader, fans, image = ApiClient.approved(), UserFactory.create_batch(2), ImageFactory()
    same = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(11):
        design = DesignFactory(
            image=image,
            title=("Silk", "silk", "Silk of Mysore")[number % 3],
            category=("Saree", "Stole")[number % 2],
            created_at=same + timedelta(hours=number // 4),
            view_count=number // 3,
            featured=True,
        )
        FavouriteFactory(user=reader.user, design=design, created_at=same)
        for fan in fans[: number % 3]:
            FavouriteFactory(user=fan, design=design)
    return reader


@every_list
def test_a_walk_by_cursors_shows_the_list_in_its_order(reader, path, query):
    whole = ids(page_of(reader, path, per_page=100, **query))
    assert len(whole) == 11
    for per_page in (1, 4, 11, 20):
        assert walk(reader, path, per_page=per_page, **query) == whole


@every_list
def test_every_page_by_number_leads_on_and_the_last_does_not(reader, path, query):
    whole = ids(page_of(reader, path, per_page=100, **query))
    for number in (1, 2, 3, 4):
        page = page_of(reader, path, page=number, per_page=4, **query)
        assert (page["next"] is None) == (number > 2)
        if page["next"]:
            after = page_of(reader, path, after=page["next"], per_page=4, **query)
            assert ids(after) == whole[4 * number : 4 * number + 4]
            assert (after["page"], after["per_page"]) == (number + 1, 4)
            assert (after["total"], after["pages"]) == (None, None)


def test_the_size_of_a_page_may_change_on_the_way(reader):
    whole = ids(page_of(reader, LIST, per_page=100))
    first = page_of(reader, LIST, per_page=3)
    second = page_of(reader, LIST, per_page=5, after=first["next"])
    third = page_of(reader, LIST, per_page=100, after=second["next"])
    assert ids(first) + ids(second) + ids(third) == whole
    assert third["next"] is None


def test_deep_pages_lead_on_too(reader, monkeypatch):
    monkeypatch.setattr("designs.catalogue.DEEP", 2)
    for sort in SORTS:
        whole = ids(page_of(reader, LIST, per_page=100, sort=sort))
        page = page_of(reader, LIST, page=2, per_page=3, sort=sort)
        assert ids(page) == whole[3:6]
        assert ids(page_of(reader, LIST, per_page=100, after=page["next"], sort=sort)) == whole[6:]


@every_list
def test_a_cursor_holds_with_and_without_what_the_process_remembers(reader, path, query):
    whole = ids(page_of(reader, path, per_page=100, **query))
    first = page_of(reader, path, per_page=3, **query)
    CatalogueVersion.objects.all().delete()
    second = page_of(reader, path, per_page=3, after=first["next"], **query)
    Design.objects.filter(pk=0).update(title="")
    DesignFactory(status="draft")  # makes a version again
    third = page_of(reader, path, per_page=100, after=second["next"], **query)
    assert ids(first) + ids(second) + ids(third) == whole


SILK = {"title": "Silk", "category": "Saree", "featured": True}


def publish(others, number):
    DesignFactory(**SILK, created_at=datetime(2026 + number, 1, 1, tzinfo=UTC))


def delete(others, number):
    Design.objects.filter(pk=others[number]).delete()


def withdraw(others, number):
    Design.objects.filter(pk=others[number]).update(status="archived")


def edit(others, number):
    Design.objects.filter(pk=others[number]).update(title="Aa silk silk", description="silk " * 9)


def like(others, number):
    FavouriteFactory(design_id=others[number])


def view(others, number):
    Design.objects.filter(pk=others[number]).update(view_count=50)


CHANGES = (publish, delete, withdraw, edit, like, view)


@every_list
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("per_page", [2])
def test_designs_that_stay_as_they_are_are_seen_once_while_others_change(
    reader, path, query, change, per_page
):
    whole = ids(page_of(reader, path, per_page=100, **query))
    others = whole[::2]
    numbers = count()
    seen = walk(
        reader, path, per_page=per_page, between=lambda: change(others, next(numbers) % len(others)), **query
    )
    stayed = set(whole[1::2])
    assert [design_id for design_id in seen if design_id in stayed] == whole[1::2]


def test_a_search_goes_on_where_it_was_though_all_it_showed_last_is_gone(reader):
    query = {"search": "silk", "sort": "relevance"}
    whole = ids(page_of(reader, LIST, per_page=100, **query))
    first = page_of(reader, LIST, per_page=4, **query)
    Design.objects.filter(pk__in=ids(first)).delete()
    assert ids(page_of(reader, LIST, per_page=100, after=first["next"], **query)) == whole[4:]


def test_a_long_search_remembers_no_more_than_its_last_designs(monkeypatch):
    reader = ApiClient.approved()
    DesignFactory.create_batch(SHOWN_LAST + 8, title="Silk", image=ImageFactory())
    first = page_of(reader, LIST, search="silk", per_page=100)
    assert walk(reader, LIST, search="silk", per_page=5) == ids(first)
    lengths, page = [], page_of(reader, LIST, search="silk", per_page=SHOWN_LAST)
    while page["next"]:
        lengths.append(len(page["next"]))
        page = page_of(reader, LIST, search="silk", per_page=3, after=page["next"])
    assert max(lengths) < 600


class TestWhatIsNoCursor:
    @pytest.mark.parametrize("bad", ["", "x", "null", "1", ".", "W10.x", "\0", "é", "a" * 5000])
    def test_another_text_is_refused(self, reader, bad):
        assert set(refused(reader.get(LIST, after=bad), 400, "invalid")) == {"after"}

    def test_one_letter_changed_is_refused(self, reader):
        cursor = page_of(reader, LIST, per_page=3)["next"]
        for place in (0, len(cursor) // 2, len(cursor) - 1):
            letter = "B" if cursor[place] == "A" else "A"
            forged = cursor[:place] + letter + cursor[place + 1 :]
            assert set(refused(reader.get(LIST, after=forged), 400, "invalid")) == {"after"}

    def test_a_page_number_beside_it_is_refused(self, reader):
        cursor = page_of(reader, LIST, per_page=3)["next"]
        assert set(refused(reader.get(LIST, after=cursor, page=1), 400, "invalid")) == {"after"}

    @pytest.mark.parametrize(
        "other",
        [
            {"sort": "oldest"},
            {"category": "Saree"},
            {"category": "Saree", "sort": "title"},
            {"search": "silk"},
            {"featured": "true"},
            {"ids": "1"},
        ],
        ids=str,
    )
    def test_that_of_another_question_is_refused(self, reader, other):
        cursor = page_of(reader, LIST, per_page=3)["next"]
        assert set(refused(reader.get(LIST, after=cursor, **other), 400, "invalid")) == {"after"}

    def test_that_of_another_list_or_of_anothers_favourites_is_refused(self, reader):
        other = ApiClient.approved()
        FavouriteFactory.create_batch(4, user=other.user)
        cursor = page_of(other, FAVOURITES, per_page=3)["next"]
        refused(reader.get(FAVOURITES, after=cursor), 400, "invalid")
        refused(reader.get(LIST, after=cursor), 400, "invalid")

    def test_the_rest_of_a_query_is_checked_all_the_same(self, reader):
        cursor = page_of(reader, LIST, per_page=3)["next"]
        assert set(refused(reader.get(LIST, after=cursor, per_page=0), 400, "invalid")) == {"per_page"}


def test_what_follows_a_cursor_has_an_etag_like_any_page(reader):
    cursor = page_of(reader, LIST, per_page=3)["next"]
    first = reader.get(LIST, after=cursor, per_page=3)
    assert first.headers["ETag"] != reader.get(LIST, per_page=3).headers["ETag"]
    address = f"{LIST}?after={cursor}&per_page=100"
    held = {"If-None-Match": reader.send("GET", address).headers["ETag"]}
    assert reader.send("GET", address, headers=held).status_code == 304
    DesignFactory(created_at=datetime(2025, 1, 1, tzinfo=UTC))
    assert reader.send("GET", address, headers=held).status_code == 200


def test_a_page_that_was_kept_longer_than_the_key_of_its_cursor_is_not_current(reader, monkeypatch):
    address = f"{LIST}?per_page=3"
    first = reader.send("GET", address)
    held = {"If-None-Match": first.headers["ETag"]}
    assert reader.send("GET", address, headers=held).status_code == 304
    monkeypatch.setattr(pages, "signer", Signer(key="another", salt="another", sep="."))
    refused(reader.get(LIST, per_page=3, after=first.json()["next"]), 400, "invalid")
    renewed = reader.send("GET", address, headers=held)
    assert renewed.status_code == 200
    assert len(ids(page_of(reader, LIST, per_page=3, after=renewed.json()["next"]))) == 3


@pytest.mark.skipif(hasattr(connection, "round_trips"), reason="the plan is SQLite's on both engines")
@pytest.mark.parametrize(
    ("query", "index", "columns"),
    [
        (DesignQuery(statuses=("published",)), "designs_newest", "created_at<?)"),
        (DesignQuery(statuses=("published",), sort=Sort.OLDEST), "designs_newest", "created_at>?)"),
        (DesignQuery(statuses=("published",), sort=Sort.POPULAR), "designs_popular", "like_count<?)"),
        (
            DesignQuery(statuses=("published",), sort=Sort.MOST_VIEWED),
            "designs_most_viewed",
            "view_count<?)",
        ),
        (DesignQuery(statuses=("published",), sort=Sort.TITLE), "designs_title", "title>?)"),
        (DesignQuery(), "designs_of_all_statuses", "created_at<?)"),
    ],
)
def test_what_follows_is_found_in_an_index(query, index, columns):
    plan = query.keyed(Part(20, after=Place(20, ("2026-01-01 00:00:00", 7)))).explain()
    assert f"{index} (" in plan
    assert columns in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.skipif(hasattr(connection, "round_trips"), reason="the plan is SQLite's on both engines")
def test_what_follows_among_favourites_is_found_in_an_index():
    user = ApiClient.approved().user
    keyed = favourites_query(user).keyed(Part(20, after=Place(20, ("2026-01-01 00:00:00", 7))))
    plan = keyed.explain()
    assert "favourites_newest (user_id=? AND created_at<?)" in plan
    assert str(keyed.query).count("JOIN") == 1
    assert "TEMP B-TREE" not in plan


rows = st.lists(
    st.tuples(st.sampled_from(["a", "A", "b", "é", "É", "ab "]), st.integers(0, 2), st.integers(0, 2)),
    max_size=9,
)


@given(rows=rows, sizes=st.lists(st.integers(1, 4), min_size=10, max_size=10), sort=st.sampled_from(SORTS))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_catalogue_walked_in_steps_of_any_size_is_the_list(rows, sizes, sort):
    reader, image = ApiClient.approved(), ImageFactory()
    Design.objects.all().delete()
    for title, day, views in rows:
        DesignFactory(
            title=title.strip(),
            image=image,
            view_count=views,
            created_at=datetime(2026, 1, 1 + day, tzinfo=UTC),
        )
    whole = ids(page_of(reader, LIST, sort=sort, per_page=100))
    page = page_of(reader, LIST, sort=sort, per_page=sizes[0])
    seen = ids(page)
    for size in sizes[1:]:
        if page["next"]:
            page = page_of(reader, LIST, sort=sort, per_page=size, after=page["next"])
            seen += ids(page)
    assert (seen, page["next"]) == (whole, None)
