"""GET /api/designs/facets: how many designs there are of each value."""

import pytest
from django.db import connection

from core import app_settings
from tests.api.client import ApiClient, refused
from tests.e2e.contract.shapes import FACET_FIELDS
from tests.factories.designs import DesignFactory

pytestmark = pytest.mark.django_db

FACETS = "/api/designs/facets"


def facets(reader, **query):
    response = reader.get(FACETS, **query)
    assert response.status_code == 200, response.content
    return response.json()


def counts(body, field):
    return [(entry["value"], entry["count"]) for entry in body["facets"][field]]


def test_counts_fall_then_values_rise_and_empty_values_are_left_out():
    for colour in ("Red", "blue", "Amber", "Red", ""):
        DesignFactory(colour=colour)
    body = facets(ApiClient.approved())
    assert body["total"] == 5
    assert sorted(body["facets"]) == sorted(FACET_FIELDS)
    assert counts(body, "colour") == [("Red", 2), ("Amber", 1), ("blue", 1)]
    assert counts(body, "category") == [("Saree", 5)]
    assert counts(body, "style") == []


def test_spellings_that_differ_in_case_count_as_one():
    for fabric in ("silk", "Silk", "SILK", "रेशम"):
        DesignFactory(fabric=fabric)
    assert counts(facets(ApiClient.approved()), "fabric") == [("SILK", 3), ("रेशम", 1)]


def test_the_filter_of_a_field_does_not_narrow_its_own_counts():
    DesignFactory(colour="Red", fabric="Silk", title="Bandhani")
    DesignFactory(colour="Red", fabric="Cotton")
    DesignFactory(colour="Blue", fabric="Silk")
    reader = ApiClient.approved()

    body = facets(reader, colour="red", fabric="silk")

    assert body["total"] == 1
    assert counts(body, "colour") == [("Blue", 1), ("Red", 1)]
    assert counts(body, "fabric") == [("Cotton", 1), ("Silk", 1)]
    assert counts(body, "category") == [("Saree", 1)]
    assert facets(reader, search="bandh")["facets"]["colour"] == [{"value": "Red", "count": 1}]
    assert facets(reader, q="%")["total"] == 0


def test_only_what_the_caller_sees_is_counted():
    DesignFactory()
    DesignFactory(status="draft")
    assert facets(ApiClient.approved())["total"] == 1
    assert counts(facets(ApiClient.admin()), "category") == [("Saree", 2)]
    assert facets(ApiClient.admin(), status="draft")["total"] == 1
    refused(ApiClient().get(FACETS), 401, "not_authenticated")
    app_settings.settings_update(None, {"public_catalogue": True})
    assert facets(ApiClient())["total"] == 1


def test_bad_filters_are_named_and_what_the_caller_has_is_a_304():
    reader = ApiClient.approved()
    assert set(refused(reader.get(FACETS, featured="x"), 400, "invalid")) == {"featured"}
    etag = reader.get(FACETS).headers["ETag"]
    assert reader.send("GET", FACETS, headers={"If-None-Match": etag}).status_code == 304


def test_facets_cost_one_query_a_field_and_few_more_once(django_assert_max_num_queries):
    DesignFactory.create_batch(5)
    reader = ApiClient.approved()
    # Without the copy nothing is remembered, and the one round trip carries what a reading of the search may need.
    on_d1 = len(FACET_FIELDS) + 8
    for most in (on_d1, on_d1) if hasattr(connection, "round_trips") else (len(FACET_FIELDS) + 4, 2):
        with django_assert_max_num_queries(most):
            facets(reader, search="design", colour="red")
