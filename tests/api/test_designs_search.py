"""The full-text search of the catalogue, for every word as typed."""

import pytest

from tests.api.client import ApiClient, refused
from tests.e2e.contract.shapes import FACET_FIELDS
from tests.factories.designs import DesignFactory

pytestmark = pytest.mark.django_db

LIST = "/api/designs"


@pytest.fixture
def found():
    """Ask as an approved user: the titles that a search finds by every word as typed."""
    reader = ApiClient.approved()

    def ask(search, **query):
        response = reader.get(LIST, search=search, match="all", **query)
        assert response.status_code == 200, response.content
        body = response.json()
        assert body["total"] == len(body["items"])
        return [item["title"] for item in body["items"]]

    return ask


def test_every_word_must_match_the_last_one_as_a_beginning(found):
    DesignFactory(title="Red silk saree")
    DesignFactory(title="Red cotton kurta")
    assert found("red silk") == ["Red silk saree"]
    assert found("silk re") == ["Red silk saree"]
    assert set(found("re")) == {"Red silk saree", "Red cotton kurta"}
    assert found("sil red") == []
    assert found("silk velvet") == []


@pytest.mark.parametrize("field", ["title", "description", *FACET_FIELDS])
def test_every_text_field_is_searched_and_follows_its_changes(found, field):
    design = DesignFactory(**{field: "Chanderi"})
    assert found("chanderi") == [design.title]
    admin = ApiClient.admin()
    admin.put(f"{LIST}/{design.pk}", {field: "Maheshwari"})
    assert found("chanderi") == []
    assert len(found("maheshwari")) == 1
    admin.delete(f"{LIST}/{design.pk}")
    assert found("maheshwari") == []


@pytest.mark.parametrize(
    ("title", "search"),
    [
        ("Café au lait", "cafe"),
        ("Cafe au lait", "CAFÉ"),
        ("Cafe\u0301 au lait", "café"),
        ("कांजीवरम सिल्क साड़ी", "साड़ी"),
        ("कांजीवरम सिल्क साड़ी", "कांजी"),
        ("காஞ்சிபுரம் பட்டு", "பட்டு"),
        ("काँथा", "काँथा"),
        ("O'Brien's weave", "o'brien"),
        ("Size 42", "42"),
    ],
)
def test_case_accents_and_scripts_are_no_hindrance(found, title, search):
    DesignFactory(title=title)
    DesignFactory(title="सड़क other")
    assert found(search) == [title]


@pytest.mark.parametrize(
    "search",
    [
        '"',
        '""',
        "'",
        "(",
        "red OR cotton",
        "red AND",
        "NOT red",
        "title:red",
        "re* *",
        "^red",
        "NEAR(red)",
        "-red",
        "{title}:red",
        "red +",
        "\\",
        ";--",
        "%",
        "_",
        "***",
        "red\\",
        "a" * 500,
        "x " * 250,
        "% " * 250,
    ],
)
def test_operators_and_wildcards_are_plain_text(found, search):
    DesignFactory(title="silk"), DesignFactory(title="cotton")
    assert found(search) == []


def test_symbols_are_found_as_they_stand(found):
    DesignFactory(title="100% silk", description="snake_case")
    DesignFactory(title="Silk 🪷")
    DesignFactory(title="Plain silk")
    assert found("%") == ["100% silk"]
    assert found("_") == ["100% silk"]
    assert found("🪷") == ["Silk 🪷"]
    assert found("* %") == []


def test_symbols_narrow_nothing_beside_words(found):
    DesignFactory(title="100% silk")
    DesignFactory(title="Plain silk")
    for search in ("silk %", "% silk", "sil 🪷"):
        assert set(found(search)) == {"100% silk", "Plain silk"}
        assert set(found(search, sort="title")) == {"100% silk", "Plain silk"}


def test_a_search_as_long_as_can_be_of_letters_that_have_several_forms(found):
    title = "सा\u095cी शा\u09dcি"
    DesignFactory(title=title)
    words = " ".join([title, *(f"सा\u0921\u093cी{number}" for number in range(200))])
    assert found(words[:500]) == []
    assert found(" ".join([title] * 40)) == [title]


def test_a_word_in_the_title_comes_before_one_in_the_description(found):
    DesignFactory(title="Saree", description="peacock " * 3)
    DesignFactory(title="Peacock saree")
    DesignFactory(title="Dupatta", style="peacock")
    assert found("peacock") == ["Peacock saree", "Dupatta", "Saree"]
    assert found("peacock", sort="newest") == ["Dupatta", "Peacock saree", "Saree"]
    assert found("peacock", sort="title") == ["Dupatta", "Peacock saree", "Saree"]


def test_search_and_filters_narrow_together_and_q_is_an_alias(found):
    DesignFactory(title="Silk one", colour="Red")
    DesignFactory(title="Silk two", colour="Blue", status="draft")
    assert found("silk", colour="red") == ["Silk one"]
    assert found("silk", colour="blue") == []
    body = ApiClient.approved().get(LIST, q="one").json()
    assert [item["title"] for item in body["items"]] == ["Silk one"]


def test_an_empty_search_is_none(found):
    DesignFactory(title="b"), DesignFactory(title="a")
    assert found("  ") == ["a", "b"]


@pytest.mark.parametrize("name", ["search", "q"])
@pytest.mark.parametrize("bad", ["a\0b", "x" * 501])
def test_a_search_that_cannot_be_is_named(name, bad):
    assert set(refused(ApiClient.approved().get(LIST, **{name: bad}), 400, "invalid")) == {name}
