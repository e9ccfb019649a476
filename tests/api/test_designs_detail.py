"""One design: reading it, being counted, and what is like it."""

import pytest

from designs import counters
from designs.models import DailyCount, Design
from tests.api.client import ApiClient, refused
from tests.factories.designs import DesignFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_seen_yet():
    counters.flush()


def path(design, rest=""):
    return f"/api/designs/{design.pk}{rest}"


def test_a_design_is_read_by_its_id():
    design = DesignFactory(title="Paithani")
    body = ApiClient.approved().get(path(design)).json()
    assert (body["id"], body["title"], body["is_favorite"]) == (design.pk, "Paithani", False)


@pytest.mark.parametrize("design_id", ["0", "999999", "9" * 18, "9" * 19, "9" * 5000, "x", "-1", "1.5"])
def test_an_id_of_nothing_is_a_404(design_id):
    reader = ApiClient.admin()
    refused(reader.get(f"/api/designs/{design_id}"), 404, "not_found")
    refused(reader.get(f"/api/designs/{design_id}/similar"), 404, "not_found")
    refused(reader.put(f"/api/designs/{design_id}", {"title": "x"}), 404, "not_found")
    refused(reader.delete(f"/api/designs/{design_id}"), 404, "not_found")
    refused(reader.post(f"/api/designs/{design_id}/favorite"), 404, "not_found")
    refused(reader.delete(f"/api/designs/{design_id}/favorite"), 404, "not_found")


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_what_is_not_published_is_for_admins(status):
    design = DesignFactory(status=status)
    assert ApiClient.admin().get(path(design)).status_code == 200
    refused(ApiClient.approved().get(path(design)), 404, "not_found")
    refused(ApiClient.approved().get(path(design, "/similar")), 404, "not_found")


def test_each_answer_with_200_counts_a_view_and_a_304_counts_none():
    design, reader = DesignFactory(), ApiClient.approved()
    etag = reader.get(path(design)).headers["ETag"]
    reader.get(path(design))
    assert reader.send("GET", path(design), headers={"If-None-Match": etag}).status_code == 304
    assert reader.send("HEAD", path(design)).status_code == 200
    reader.get("/api/designs")

    counters.flush()

    seen = reader.get(path(design))
    assert seen.json()["view_count"] == 2
    assert seen.headers["ETag"] == etag
    assert DailyCount.objects.get().views == 2


def test_views_of_a_design_that_is_deleted_do_not_stop_the_others():
    gone, kept = DesignFactory(), DesignFactory()
    reader = ApiClient.approved()
    for design in (gone, kept):
        reader.get(path(design))
    Design.objects.filter(pk=gone.pk).delete()

    counters.flush()

    assert Design.objects.get().view_count == 1
    assert DailyCount.objects.get().design == kept


def test_similar_designs_are_published_ones_the_nearest_first_and_never_itself():
    traits = {"style": "Kanjivaram", "fabric": "Silk", "colour": "Red"}
    design = DesignFactory(title="itself", **traits)
    DesignFactory(title="other category", category="Kurta")
    DesignFactory(title="same category")
    DesignFactory(title="twin", **traits)
    DesignFactory(title="sister", **traits | {"colour": "green"})
    DesignFactory(title="hidden twin", status="draft", **traits)
    reader = ApiClient.approved()

    items = reader.get(path(design, "/similar")).json()["items"]

    assert [item["title"] for item in items] == ["twin", "sister", "same category", "other category"]
    assert len(reader.get(path(design, "/similar"), limit=2).json()["items"]) == 2


@pytest.mark.parametrize("limit", ["0", "51", "x"])
def test_a_bad_limit_is_named(limit):
    response = ApiClient.approved().get(path(DesignFactory(), "/similar"), limit=limit)
    assert set(refused(response, 400, "invalid")) == {"limit"}
