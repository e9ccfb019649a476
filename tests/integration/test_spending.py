"""For whom a request spends calls to D1, and what it answers when there are none left."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts import sessions
from console.dashboard import views as dashboard
from core.api import errors as api_errors
from d1backend import RateLimited
from d1backend.protocol.budget import Spender, current_spender
from designs import services
from tests.api.client import ApiClient
from tests.factories.accounts import PASSWORD, UserFactory
from tests.factories.designs import DesignFactory

pytestmark = pytest.mark.django_db


def no_room(own=True):
    error = RateLimited("no room")
    error.own, error.retry_after = own, 41.5
    return error


@pytest.fixture
def spent(monkeypatch):
    """A function that lets another note who spends while it runs, and then fail as if there were no room."""
    found = []

    def spent(target, name, error=None):
        def noted(*arguments, **keywords):
            found.append(current_spender())
            raise error or no_room()

        monkeypatch.setattr(target, name, noted)
        return found

    return spent


def signed_in_staff():
    boss = UserFactory(admin=True)
    browser = Client(raise_request_exception=False)
    browser.post(reverse("admin:login"), {"username": boss.username, "password": PASSWORD})
    return browser, boss


def test_a_write_of_a_signed_in_user_is_theirs(spent):
    user = UserFactory()
    found = spent(services, "favourite_add")
    ApiClient(user).send("POST", f"/api/designs/{DesignFactory().pk}/favorite")
    assert found == [(Spender.WRITE, f"user {user.pk}")]


def test_a_sign_in_is_that_of_an_address(spent):
    found = spent(sessions, "session_begin")
    body = {"username": "asha", "password": "nine yards"}
    ApiClient(address="192.0.2.7").send("POST", "/api/auth/login", body)
    assert found == [(Spender.REST, "address 192.0.2.7")]


def test_a_page_of_the_console_is_that_of_the_staff(spent):
    browser, boss = signed_in_staff()
    found = spent(dashboard, "read_dashboard")
    browser.get(reverse("admin:index"))
    assert found == [(Spender.STAFF, f"user {boss.pk}")]


def test_nothing_is_left_of_a_request_for_the_next(spent):
    before = current_spender()
    ApiClient(UserFactory()).send("POST", f"/api/designs/{DesignFactory().pk}/favorite")
    assert current_spender() == before == (Spender.REST, "")


def test_a_call_without_room_is_a_429_that_says_how_long_to_wait(spent):
    spent(services, "favourite_add")
    answer = ApiClient(UserFactory()).send("POST", f"/api/designs/{DesignFactory().pk}/favorite")
    assert (answer.status_code, answer["Retry-After"]) == (429, "42")
    assert (answer.json()["code"], answer.json()["success"]) == ("too_many_requests", False)


def test_a_block_by_d1_itself_is_an_outage(spent):
    spent(services, "favourite_add", no_room(own=False))
    answer = ApiClient(UserFactory()).send("POST", f"/api/designs/{DesignFactory().pk}/favorite")
    assert (answer.status_code, answer["Retry-After"], answer.json()["code"]) == (503, "42", "unavailable")


def test_the_console_says_so_in_a_page(spent):
    browser, _ = signed_in_staff()
    spent(dashboard, "read_dashboard")
    answer = browser.get(reverse("admin:index"))
    assert (answer.status_code, answer["Retry-After"]) == (429, "42")
    assert api_errors.DEFAULTS[429][1] in answer.content.decode()
