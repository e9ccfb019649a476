"""GET /api/admin/audit: the filter by actor."""

import unicodedata

import pytest

from tests.api.client import ApiClient
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db

AUDIT = "/api/admin/audit"
NAME = "\u015ariक्ष"


def lines_by(name):
    return ApiClient.admin().get(AUDIT, actor=name).json()["items"]


def approve_someone(actor):
    assert (
        ApiClient(actor).post(f"/api/admin/users/{UserFactory(pending=True).pk}/approve").status_code == 200
    )


@pytest.mark.parametrize(
    "form",
    [
        NAME,
        NAME.lower(),
        NAME.upper(),
        f"  {NAME} ",
        unicodedata.normalize("NFD", NAME),
        "\u015ariक्\u200dष",
        "\u015aｒｉक्ष",
    ],
)
def test_an_actor_is_found_by_every_form_of_their_name(form):
    actor, other = UserFactory(admin=True, username=NAME), UserFactory(admin=True)
    for one in (actor, other):
        approve_someone(one)
    assert [line["actor"]["id"] for line in lines_by(form)] == [actor.pk]


def test_an_actor_is_found_by_their_name_when_they_have_another():
    actor = UserFactory(admin=True, username="meera")
    approve_someone(actor)
    ApiClient.admin().put(f"/api/admin/users/{actor.pk}", {"username": "meera.devi"})
    for name in ("Meera", "Meera.Devi"):
        assert [line["action"] for line in lines_by(name)] == ["user.approve"]


def test_an_actor_whom_staff_deleted_is_found_by_the_name():
    actor = UserFactory(admin=True, username="meera")
    approve_someone(actor)
    ApiClient.admin().delete(f"/api/admin/users/{actor.pk}")
    assert [line["action"] for line in lines_by("MEERA")] == ["user.approve"]


@pytest.mark.parametrize("form", ["%", "_eera", "мeera", "meer", ""])
def test_what_only_looks_like_a_name_is_no_filter_for_it(form):
    approve_someone(UserFactory(admin=True, username="meera"))
    assert len(lines_by(form)) == (0 if form else 1)
