"""Facets: counts that agree with the list, each field's own filter aside."""

from collections import Counter

import pytest

from tests.e2e.contract.shapes import DESIGN, FACET_FIELDS, FACETS, granted, page_of, refused

pytestmark = pytest.mark.e2e


@pytest.fixture
def facets(reader):
    def ask(client=None, **query):
        return granted((client or reader.client).get("/api/designs/facets", params=query), FACETS)

    return ask


def expected(designs, field):
    """The counts of a field's values: counts fall, then values rise."""
    counts = Counter(one[field] for one in designs if one[field])
    return [
        {"value": value, "count": n}
        for value, n in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


def test_the_counts_of_a_collection(facets, catalogue):
    body = facets(collection_name=catalogue.collection)
    published = [one for one in catalogue.designs if one["status"] == "published"]
    assert body["total"] == len(published)
    for field in FACET_FIELDS:
        if field not in ("collection_name", "designer_name"):
            assert body["facets"][field] == expected(published, field), field
    counts = {one["value"]: one["count"] for one in body["facets"]["designer_name"]}
    assert counts == {"Ritu Rao": 4, "Om Das": 3, "Élodie Nair": 2}
    assert {"value": catalogue.collection, "count": len(published)} in body["facets"]["collection_name"]


def test_a_fields_own_filter_does_not_narrow_its_own_counts(facets, catalogue):
    published = [one for one in catalogue.designs if one["status"] == "published"]
    body = facets(collection_name=catalogue.collection, category="saree,kurta", colour="red")
    both = [one for one in published if one["category"] in ("Saree", "Kurta") and one["colour"] == "Red"]
    assert body["total"] == len(both)
    assert body["facets"]["category"] == expected(
        [one for one in published if one["colour"] == "Red"], "category"
    )
    of_kind = [one for one in published if one["category"] in ("Saree", "Kurta")]
    assert body["facets"]["colour"] == expected(of_kind, "colour")
    assert body["facets"]["fabric"] == expected(both, "fabric")


def test_the_other_filters_narrow(facets, catalogue):
    published = [one for one in catalogue.designs if one["status"] == "published"]
    body = facets(collection_name=catalogue.collection, featured="true")
    assert body["total"] == 3
    assert body["facets"]["category"] == expected([one for one in published if one["featured"]], "category")
    assert facets(collection_name=catalogue.collection, created_before="2000-01-01")["total"] == 0


def test_no_match_has_no_values(facets, catalogue):
    body = facets(collection_name=catalogue.collection, category="Nope")
    assert body["total"] == 0
    assert body["facets"]["colour"] == []
    assert body["facets"]["category"][0] == {"value": "Saree", "count": 5}


def test_admins_count_by_status(facets, boss, catalogue):
    assert facets(boss, collection_name=catalogue.collection)["total"] == len(catalogue.designs)
    assert facets(boss, collection_name=catalogue.collection, status="draft")["total"] == 1
    assert facets(collection_name=catalogue.collection, status="draft")["total"] == len(catalogue.ids)


def test_each_count_is_the_total_of_its_list(facets, reader, catalogue):
    common = {"collection_name": catalogue.collection, "season": "Winter,Summer"}
    body = facets(**common)
    for field in ("category", "colour", "designer_name", "season"):
        for one in body["facets"][field]:
            query = common | {field: one["value"], "per_page": 1}
            page = granted(reader.client.get("/api/designs", params=query), page_of(DESIGN))
            assert page["total"] == one["count"], (field, one)


@pytest.mark.parametrize("query", [{"featured": "maybe"}, {"created_after": "soon"}])
def test_bad_values_are_refused_as_in_the_list(reader, query):
    refused(reader.client.get("/api/designs/facets", params=query), 400, field=next(iter(query)))
