"""Searches of the app that find little come to the staff's analytics, once several people made them."""

import pytest

from designs import counters
from tests.api.client import ApiClient
from tests.factories.accounts import UserFactory
from tests.factories.designs import DesignFactory

pytestmark = pytest.mark.django_db

LIST, ANALYTICS = "/api/designs", "/api/admin/analytics"


@pytest.fixture
def people():
    """So many readers that three of them have different marks."""
    return [ApiClient(UserFactory()) for _ in range(8)]


@pytest.fixture
def missed():
    def read():
        counters.flush()
        return ApiClient.admin().get(ANALYTICS, days=7).json()["searches"]

    return read


def test_a_search_of_several_people_that_finds_nothing_is_listed(people, missed):
    assert missed() == []
    for person in people:
        assert person.get(LIST, search="Toran").json()["total"] == 0
    assert missed() == [{"text": "toran", "count": 8, "found": 0}]


def test_only_what_the_words_alone_find_little_of_counts(people, missed):
    DesignFactory.create_batch(4, title="Paithani")
    admin = ApiClient.admin()
    for person in people:
        person.get(LIST, search="paithani")
        person.get(LIST, search="toran", colour="Red")
        person.get(LIST, search="toran", page=2)
        person.get(LIST, search="toran", match="all")
        person.get(LIST)
        admin.get(LIST, search="toran")
    assert missed() == []


def test_what_one_person_searches_for_is_never_listed(people, missed):
    for _ in range(9):
        people[0].get(LIST, q="my secret word")
    assert missed() == []
