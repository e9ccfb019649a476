"""Facets counted in memory are those that the database counts, whatever changed in between."""

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from designs import facet_columns
from designs.facet_columns import FacetColumns, TooSparse, changed_since
from designs.facets import columns, facets_by_columns, facets_by_groups
from designs.models import CatalogueVersion, Design
from designs.queries import DesignQuery
from tests.factories.designs import DesignFactory
from tests.factories.uploads import ImageFactory

VALUES = st.sampled_from(["", "Red", "red", "RED", "Blue", "नीला", "Off-white, pale"])
STATUSES = st.sampled_from(["draft", "published", "archived", "deleted"])
CHANGES = st.one_of(
    st.tuples(st.just("create"), VALUES, VALUES, STATUSES, st.booleans()),
    st.tuples(st.just("update"), VALUES, VALUES, STATUSES, st.booleans()),
    st.tuples(st.just("delete")),
    st.tuples(st.just("many"), VALUES),
)
QUERIES = [
    DesignQuery(),
    DesignQuery(statuses=("published",)),
    DesignQuery(statuses=("deleted", "draft"), featured=True),
    DesignQuery(attributes=(("colour", ("red",)),)),
    DesignQuery(attributes=(("colour", ("red", "नीला")), ("fabric", ("blue",))), featured=False),
    DesignQuery(ids=(1, 2, 3, 10**17)),
]


def change(kind, *values):
    if kind == "create":
        colour, fabric, status, featured = values
        image = ImageFactory()
        DesignFactory(colour=colour, fabric=fabric, status=status, featured=featured, image=image)
        return
    first = Design.objects.order_by("?").first()
    if kind == "update":
        names = ("colour", "fabric", "status", "featured")
        Design.objects.filter(pk=first and first.pk).update(**dict(zip(names, values, strict=True)))
    elif kind == "delete" and first:
        first.delete()
    elif kind == "many":
        for _ in range(60):  # more than the version tells
            Design.objects.update(fabric=values[0])


class AnyChanges(TestCase):
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(changes=st.lists(st.tuples(CHANGES, st.sampled_from(QUERIES)), max_size=12))
    def test_memory_and_database_count_the_same(self, changes):
        for changed, query in changes:
            change(*changed)
            if CatalogueVersion.objects.exists():
                assert facets_by_columns(query) == facets_by_groups(query)


@pytest.mark.skipif(hasattr(connection, "round_trips"), reason="D1 itself groups, and draws other versions")
@pytest.mark.django_db
def test_only_what_changed_is_read_again(django_assert_num_queries):
    designs = DesignFactory.create_batch(3)
    columns.refresh()
    with django_assert_num_queries(1):
        columns.refresh()
    with django_assert_num_queries(0):
        columns.refresh(columns.listing)
    with django_assert_num_queries(1):
        columns.refresh("of another version")
    Design.objects.filter(pk=designs[1].pk).update(colour="Teal")
    with django_assert_num_queries(2) as asked:
        facets_by_columns(DesignQuery())
    assert "json_each" in asked[-1]["sql"]


@pytest.mark.django_db
def test_ids_that_lie_far_apart_are_left_to_the_database(monkeypatch):
    monkeypatch.setattr(facet_columns, "LEAST_ROOM", 10)
    DesignFactory(pk=1000)
    with pytest.raises(TooSparse):
        FacetColumns().refresh()


@pytest.mark.django_db
def test_a_gallery_without_designs_has_no_facets(monkeypatch):
    """Of a process that starts when all are deleted for good. It was a 500."""
    monkeypatch.setattr("designs.facets.columns", FacetColumns())
    DesignFactory().delete()
    query = DesignQuery(attributes=(("colour", ("red",)),))
    assert facets_by_columns(query) == facets_by_groups(query)


@pytest.mark.django_db
def test_a_large_gallery_is_read_in_parts(monkeypatch):
    monkeypatch.setattr("core.sql.PART", 2)
    monkeypatch.setattr(facet_columns, "LEAST_ROOM", 10)
    monkeypatch.setattr("designs.facets.columns", FacetColumns())
    for pk, colour in enumerate(["Red", "Blue", "Red", "Teal", "Red"], start=1):
        DesignFactory(pk=pk * 3, colour=colour)
    query = DesignQuery(ids=(3, 6, 12, 15))
    assert facets_by_columns(query) == facets_by_groups(query)


def test_a_list_of_changes_that_does_not_reach_back_says_nothing():
    assert changed_since("b", "c:3,b:2,a:1,") == [3, 2]
    assert changed_since("a", "c:3,b:2,a:1,") == [3, 2, 1]
    assert changed_since("a", "c:3,b:2,a:1") is None
    assert changed_since("x", "") is None
