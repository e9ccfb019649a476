"""What a client or this process remembers of the catalogue holds exactly as long as the catalogue stays the same."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from d1backend.waiting import WouldTakeLong, without_waiting
from designs import counters
from designs.models import CatalogueVersion, Design
from designs.versioned_cache import VersionedCache, current_version
from tests.api.client import ApiClient
from tests.factories.designs import DesignFactory, FavouriteFactory
from uploads.models import Image

pytestmark = pytest.mark.django_db
versioned = pytest.mark.skipif(
    hasattr(connection, "round_trips"),
    reason="on D1 itself asking for the version would be a round trip more",
)

LIST = "/api/designs"
QUESTIONS = (
    *(LIST, f"{LIST}?search=ikat", f"{LIST}?category=saree&sort=title", f"{LIST}?sort=popular"),
    *(f"{LIST}/featured", f"{LIST}/facets", f"{LIST}/facets?search=ikat", f"{LIST}/user/favorites"),
    f"{LIST}/suggest?q=ika",
)


def rename(design):
    Design.objects.filter(pk=design.pk).update(title="Ikat again")


def add(design):
    DesignFactory(title="Ikat", featured=True)


def ignore_conflicts(design):
    Design.objects.bulk_create(
        [Design(title="Ikat", category="Saree", image=design.image)], ignore_conflicts=True
    )


def withdraw(design):
    Design.objects.filter(pk=design.pk).update(status="archived")


def remove(design):
    design.delete()


def like(design):
    other = Design.objects.exclude(pk=design.pk).earliest("pk")
    FavouriteFactory.create_batch(2, design=other)


def redraw(design):
    Image.objects.update(renditions=[])


CHANGES = (rename, add, ignore_conflicts, withdraw, remove, like, redraw)


def answers(reader):
    return {question: reader.send("GET", question) for question in QUESTIONS}


def unremembered(reader, monkeypatch):
    """The answers of a process that remembers nothing."""
    with monkeypatch.context() as patch:
        patch.setattr(VersionedCache, "get_many", lambda cache, version, keys, load, loaded: load(list(keys)))
        return answers(reader)


def bodies(found):
    return {question: response.json() for question, response in found.items()}


@pytest.fixture
def design():
    DesignFactory.create_batch(3, title="Ikat", featured=True)
    return DesignFactory(title="Ikat of Patan", featured=True)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_after_any_change_every_answer_is_what_a_process_without_memory_says(change, design, monkeypatch):
    reader = ApiClient.approved()
    reader.post(f"{LIST}/{design.pk}/favorite")
    answers(reader)
    change(design)
    assert bodies(answers(reader)) == bodies(unremembered(reader, monkeypatch))


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_an_etag_never_names_two_bodies(change, design, monkeypatch):
    reader = ApiClient.approved()
    reader.post(f"{LIST}/{design.pk}/favorite")
    before = answers(reader)
    change(design)
    now = unremembered(reader, monkeypatch)
    for question, old in before.items():
        again = reader.send("GET", question, headers={"If-None-Match": old.headers["ETag"]})
        assert again.status_code == 200 or old.json() == now[question].json(), question


@versioned
def test_another_user_page_or_question_has_another_etag(design):
    reader, other = ApiClient.approved(), ApiClient.approved()
    tags = [response.headers["ETag"] for response in (*answers(reader).values(), *answers(other).values())]
    tags.append(reader.get(LIST, page=2).headers["ETag"])
    assert len(set(tags)) == len(tags)


def test_views_alone_change_no_etag_but_that_of_the_most_viewed(design):
    reader = ApiClient.approved()
    before = answers(reader)
    by_views = reader.get(LIST, sort="most_viewed")
    reader.get(f"{LIST}/{design.pk}")
    counters.flush()
    assert {q: r.headers["ETag"] for q, r in answers(reader).items()} == {
        q: r.headers["ETag"] for q, r in before.items()
    }
    after = reader.get(LIST, sort="most_viewed")
    assert after.json()["items"][0]["id"] == design.pk
    assert (after.headers["ETag"] == by_views.headers["ETag"]) == (
        by_views.json()["items"][0]["id"] == design.pk
    )


@versioned
def test_a_304_reads_the_sign_in_and_the_version_and_nothing_else(design):
    reader = ApiClient.approved()
    for question, response in answers(reader).items():
        with CaptureQueriesContext(connection) as queries:
            again = reader.send("GET", question, headers={"If-None-Match": response.headers["ETag"]})
        assert (again.status_code, len(queries)) == (304, 2), question
        assert again.headers["Cache-Control"] == response.headers["Cache-Control"]
        assert again.headers["Vary"] == response.headers["Vary"]


@versioned
def test_a_filtered_list_that_fits_its_page_is_not_counted_by_a_query_of_its_own(design):
    reader = ApiClient.approved()
    for size, queries_of_counts in ((4, 0), (3, 1)):
        with CaptureQueriesContext(connection) as queries:
            found = reader.get(LIST, category=design.category, per_page=size)
        counts = [query for query in queries if "COUNT(" in query["sql"]]
        assert (found.json()["total"], len(counts)) == (4, queries_of_counts)


def test_an_old_etag_opens_no_design_that_is_hidden_since(design):
    reader = ApiClient.approved()
    etag = reader.get(f"{LIST}/{design.pk}").headers["ETag"]
    withdraw(design)
    again = reader.send("GET", f"{LIST}/{design.pk}", headers={"If-None-Match": etag})
    assert again.status_code == 404


def test_an_asterisk_matches_a_design_that_is_there_and_no_other(design):
    reader = ApiClient.approved()
    held = {"If-None-Match": "*"}
    assert reader.send("GET", f"{LIST}/{design.pk}", headers=held).status_code == 304
    withdraw(design)
    assert reader.send("GET", f"{LIST}/{design.pk}", headers=held).status_code == 404


@versioned
def test_a_version_does_not_come_again_after_a_rollback(design):
    seen = {current_version()}
    for _ in range(2):
        with transaction.atomic():
            rename(design)
            seen.add(current_version())
            transaction.set_rollback(True)
    assert len(seen) == 3


def test_without_a_version_every_answer_is_the_same(design):
    reader = ApiClient.approved()
    with_version = bodies(answers(reader))
    CatalogueVersion.objects.all().delete()
    assert bodies(answers(reader)) == with_version


def test_a_deep_page_is_the_part_of_the_list_that_it_says(design, monkeypatch):
    DesignFactory.create_batch(20)
    reader = ApiClient.approved()
    whole = [item["id"] for item in reader.get(LIST, per_page=100).json()["items"]]
    monkeypatch.setattr("designs.catalogue.DEEP", 4)
    pages = [reader.get(LIST, page=page, per_page=4).json() for page in range(1, 8)]
    assert [item["id"] for page in pages for item in page["items"]] == whole
    assert {page["total"] for page in pages} == {len(whole)}


@versioned
@pytest.mark.parametrize(
    ("parameters", "is_found_at_once"),
    [
        ({}, True),
        ({"page": 4, "per_page": 100}, True),
        ({"page": 5, "per_page": 100}, False),
        ({"category": "saree"}, False),
        ({"sort": "title"}, False),
        ({"search": "ikat"}, False),
    ],
)
def test_what_may_not_take_long_is_read_where_it_is_in_memory(design, parameters, is_found_at_once):
    """A filter with a value that nobody has asked for takes up to a second in a large catalogue."""
    reader = ApiClient.approved()
    if is_found_at_once:
        with without_waiting():
            found = reader.get(LIST, **parameters)
        assert found.json() == reader.get(LIST, **parameters).json()
        return
    with without_waiting(), pytest.raises(WouldTakeLong):
        reader.get(LIST, **parameters)
    wanted = reader.get(LIST, **parameters).json()
    with without_waiting():
        assert reader.get(LIST, **parameters).json() == wanted
