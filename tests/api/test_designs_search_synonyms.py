"""What staff change in the synonyms holds for the next search of the app."""

import pytest

from designs import synonyms
from designs.models import Synonym
from tests.api.client import ApiClient
from tests.factories.designs import DesignFactory

pytestmark = pytest.mark.django_db(transaction=True)

LIST, FACETS = "/api/designs", "/api/designs/facets"


@pytest.fixture
def found():
    """The titles that a search finds, and the total of its facets."""
    reader = ApiClient.approved()

    def search(text):
        page = reader.get(LIST, search=text).json()
        assert reader.get(FACETS, search=text).json()["total"] == page["total"]
        return {item["title"] for item in page["items"]}

    return search


def row(**fields):
    return {"kind": "same", "phrase": "toran", "words": "paithani", **fields}


def test_a_new_a_changed_and_a_deleted_one_take_effect_at_once(found):
    for title in ("Paithani", "Patola"):
        DesignFactory(title=title)
    assert found("toran") == set()
    made = synonyms.synonym_create(None, row())
    assert found("toran") == {"Paithani"}
    synonyms.synonym_update(None, made, {"words": "patola"})
    assert found("toran") == {"Patola"}
    synonyms.synonym_delete(None, Synonym.objects.get())
    assert found("toran") == set()


def test_what_means_something_is_found_in_its_field_alone(found):
    DesignFactory(title="A", colour="Sindoor red", description="Plain.")
    DesignFactory(title="B", colour="Black", description="A red story of Lalita.")
    synonyms.synonym_create(None, row(kind="means", phrase="lal", field="colour", words="red"))
    assert found("lal plain") == {"A"}


def test_what_is_kept_is_not_corrected(found):
    DesignFactory(title="Lines of Kota", fabric="Lined silk")
    synonyms.synonym_create(None, row(kind="kept", phrase="linen", words=""))
    assert found("linen") == set()


def test_circles_do_no_harm(found):
    DesignFactory(title="Paithani")
    synonyms.synonym_create(None, row(phrase="toran", words="bunting"))
    synonyms.synonym_create(None, row(phrase="bunting", words="paithani, toran"))
    synonyms.synonym_create(None, row(kind="means", phrase="paithani", words="toran"))
    assert found("bunting") == {"Paithani"}
