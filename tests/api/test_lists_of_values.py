"""Parameters of several values: `k=a,b`, `k=a&k=b`, `k[]=a&k[]=b`, and values that contain a comma."""

from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.client import ApiClient, refused
from tests.e2e.contract.shapes import FACET_FIELDS
from tests.factories.designs import DesignFactory
from tests.factories.uploads import ImageFactory

pytestmark = pytest.mark.django_db

LIST = "/api/designs"
FACETS = f"{LIST}/facets"


def found(client, *pairs, path=LIST):
    response = client.send("GET", f"{path}?{urlencode([*pairs, ('per_page', '100')])}")
    assert response.status_code == 200, response.content
    return response.json()


def titles(client, *pairs):
    return {item["title"] for item in found(client, *pairs)["items"]}


@pytest.mark.parametrize("field", FACET_FIELDS)
def test_values_add_up_however_they_are_sent(field):
    for value in ("a", "b", "c", "a, b"):
        DesignFactory(title=value, **{"category": "x", field: value})
    reader = ApiClient.approved()
    both = {"a", "b"}
    assert titles(reader, (field, "a,b")) == both
    assert titles(reader, (field, "a"), (field, "b")) == both
    assert titles(reader, (f"{field}[]", "a"), (f"{field}[]", "b")) == both
    assert titles(reader, (field, "a"), (f"{field}[]", "B")) == both
    assert titles(reader, (f"{field}[]", "a,c"), (field, "b")) == {"a", "b", "c"}
    assert titles(reader, (field, "a, b")) == {"a", "b", "a, b"}
    assert titles(reader, (field, " A, B ")) == {"a", "b", "a, b"}
    assert titles(reader, (f"{field}[]", "a, b")) == {"a", "b", "a, b"}
    assert titles(reader, (field, ""), (f"{field}[]", " , ")) == {"a", "b", "c", "a, b"}


def test_facets_go_by_the_same_values():
    for value in ("Silk, pure", "Silk", "Cotton"):
        DesignFactory(fabric=value)
    reader = ApiClient.approved()
    assert found(reader, ("fabric[]", "silk, pure"), path=FACETS)["total"] == 2
    assert found(reader, ("fabric", "silk"), ("fabric[]", "cotton"), path=FACETS)["total"] == 2


def test_featured_and_status_take_brackets_too():
    DesignFactory(title="star", featured=True)
    DesignFactory(title="plain")
    DesignFactory(title="draft", status="draft")
    admin = ApiClient.admin()
    assert titles(admin, ("featured[]", "true")) == {"star"}
    assert titles(admin, ("featured[]", "true"), ("featured", "false")) == {"star", "plain", "draft"}
    assert titles(admin, ("status[]", "draft")) == {"draft"}
    assert titles(admin, ("status[]", "draft"), ("status", "PUBLISHED")) == {"star", "plain", "draft"}


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("featured", "x"),
        ("status", "x"),
        ("ids", "x"),
        ("colour", "\0"),
        ("ids", "-1"),
        ("ids", "1.5"),
        ("ids", "१"),
    ],
)
def test_errors_name_the_parameter_without_brackets(name, bad):
    admin = ApiClient.admin()
    for sent in (name, f"{name}[]"):
        assert set(refused(admin.get(LIST, **{sent: bad}), 400, "invalid")) == {name}


class TestIds:
    def test_they_filter_in_the_order_of_the_sort(self):
        one, two, three = (DesignFactory().pk for _ in range(3))
        reader = ApiClient.approved()
        for pairs in (
            [("ids", f"{one},{three}")],
            [("ids", f"{three}"), ("ids", f" {one} ")],
            [("ids[]", f"{one}"), ("ids[]", f"{three}")],
            [("ids", f"{one},{one}"), ("ids[]", f"{three}")],
        ):
            body = found(reader, *pairs)
            assert [item["id"] for item in body["items"]] == [three, one]
            assert body["total"] == 2
        assert [item["id"] for item in found(reader, ("ids", f"{two}"), ("sort", "title"))["items"]] == [two]
        assert len(found(reader, ("ids", ""))["items"]) == 3

    def test_they_open_nothing_that_the_caller_may_not_see(self):
        draft = DesignFactory(status="draft").pk
        assert found(ApiClient.approved(), ("ids", draft))["items"] == []
        assert found(ApiClient.admin(), ("ids", draft))["total"] == 1

    def test_they_narrow_with_other_filters_searches_and_facets(self):
        silk = DesignFactory(title="Silk", colour="Red").pk
        other = DesignFactory(title="Silk", colour="Blue").pk
        cotton = DesignFactory(title="Cotton", colour="Red").pk
        reader = ApiClient.approved()
        both = ("ids", f"{silk},{cotton}")
        for sort in ("newest", "title", "relevance"):
            assert [item["id"] for item in found(reader, both, ("q", "silk"), ("sort", sort))["items"]] == [
                silk
            ]
        assert found(reader, both, ("colour", "red"))["total"] == 2
        assert found(reader, both, ("q", "%"))["total"] == 0
        facets = found(reader, ("ids", f"{silk},{other}"), path=FACETS)
        assert (facets["total"], len(facets["facets"]["colour"])) == (2, 2)
        assert found(reader, both, ("q", "silk"), path=FACETS)["total"] == 1

    def test_up_to_a_hundred_may_be_sent(self):
        design, reader = DesignFactory().pk, ApiClient.approved()
        many = [str(design + number) for number in range(101)]
        assert found(reader, ("ids", ",".join(many[:100])))["total"] == 1
        assert found(reader, ("ids", ",".join([*many[:100], many[0]])))["total"] == 1
        assert set(refused(reader.get(LIST, ids=",".join(many)), 400, "invalid")) == {"ids"}
        assert set(refused(reader.get(FACETS, ids=",".join(many)), 400, "invalid")) == {"ids"}

    @pytest.mark.parametrize("huge", ["0", "9" * 18, "9" * 19, "9" * 500])
    def test_a_number_that_no_design_has_finds_nothing(self, huge):
        design, reader = DesignFactory().pk, ApiClient.approved()
        assert found(reader, ("ids", huge))["total"] == 0
        assert found(reader, ("ids", huge), ("search", "design"))["total"] == 0
        assert found(reader, ("ids", huge), path=FACETS)["total"] == 0
        assert found(reader, ("ids", f"{huge},{design}"))["total"] == 1


VALUES = ["a", "b", "a, b", "a,b", "b,a", "c", "a, b, c"]


@given(
    stored=st.sets(st.sampled_from(VALUES), min_size=1),
    sent=st.lists(st.tuples(st.booleans(), st.lists(st.sampled_from(VALUES), min_size=1, max_size=3))),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_value_is_found_by_itself_and_by_its_parts(stored, sent):
    image = ImageFactory()
    field = "fabric"
    reader = ApiClient.approved()
    image.designs.model.objects.all().delete()
    for value in stored:
        DesignFactory(title=value, fabric=value, image=image)
    pairs = [(f"{field}[]" if brackets else field, ",".join(values)) for brackets, values in sent]
    wanted = {text.strip() for _, value in pairs for text in (value, *value.split(","))}
    assert titles(reader, *pairs) == (stored & wanted if pairs else stored)
