"""Guessing passwords: every try counts before it is checked, locks grow, and nobody locks out others."""

import time

import pytest
from django.contrib.auth import hashers
from django.db import connection

from accounts import guesses
from accounts.models import SignIn, StoredGuesses
from core import limits, replica
from core.client_address import mark_of
from core.errors import TooMany
from tests.api.client import ApiClient, refused
from tests.factories.accounts import PASSWORD, UserFactory
from tests.races import at_once

pytestmark = pytest.mark.django_db

PATH = "/api/auth/login"
STRANGER, HOME = "198.51.100.7", "203.0.113.9"


def login(username, password=PASSWORD, address=STRANGER):
    return ApiClient(address=address).post(PATH, {"username": username, "password": password})


@pytest.fixture(autouse=True)
def _three(settings):
    settings.SIGN_IN_FAILURES = (3, 3600)


@pytest.fixture
def pass_time(monkeypatch):
    """A function that lets so many seconds pass for the limits."""
    ahead, clock = [0.0], time.time_ns

    def pass_time(seconds):
        ahead[0] += seconds

    monkeypatch.setattr(time, "time_ns", lambda: clock() + int(ahead[0] * 1e9))
    return pass_time


def wait_of(response):
    refused(response, 429, "too_many_attempts")
    assert response.headers["RateLimit-Remaining"] == "0"
    return int(response.headers["Retry-After"])


@pytest.mark.django_db(transaction=True)
def test_of_sixty_at_once_only_the_limit_is_checked(settings, monkeypatch):
    settings.SIGN_IN_FAILURES = (4, 36_000)
    user, hashed = UserFactory(), []
    encode = hashers.MD5PasswordHasher.encode
    monkeypatch.setattr(
        hashers.MD5PasswordHasher, "encode", lambda *args: hashed.append(args) or encode(*args)
    )
    answers = at_once(*(lambda: login(user.username, "a guess") for _ in range(60)))
    assert sorted(answer.status_code for answer in answers) == [401] * 4 + [429] * 56
    assert len(hashed) == 4
    assert 8900 < wait_of(login(user.username)) <= 9000  # one lock, not four


def test_each_lock_lasts_twice_as_long_as_the_one_before(pass_time):
    user, waits = UserFactory(), []
    for _ in range(3):
        login(user.username, "a guess")
    for _ in range(4):
        waits.append(wait_of(login(user.username)))
        pass_time(waits[-1] + 1)
        refused(login(user.username, "a guess"), 401, "invalid_credentials")
    assert [round(wait, -1) for wait in waits] == [1200, 2400, 3600, 3600]


def test_the_right_password_forgets_failures_and_locks(pass_time):
    user = UserFactory()
    for _ in range(3):
        login(user.username, "a guess")
    pass_time(1201)
    assert login(user.username).status_code == 200
    for _ in range(3):
        refused(login(user.username, "a guess"), 401, "invalid_credentials")
    assert wait_of(login(user.username)) <= 1200


def test_a_name_guessed_from_everywhere_is_slowed_for_strangers_but_not_where_it_signed_in():
    user = UserFactory()
    assert login(user.username, address=HOME).status_code == 200
    for number in range(30):
        refused(login(user.username, "a guess", f"192.0.2.{number}"), 401, "invalid_credentials")
    assert wait_of(login(user.username, address=STRANGER))
    assert login(user.username, address=HOME).status_code == 200
    assert login(UserFactory().username, address=STRANGER).status_code == 200


def test_a_network_that_guesses_many_names_does_not_lock_out_who_signed_in_from_it():
    neighbour, new = UserFactory(), UserFactory()
    assert login(neighbour.username).status_code == 200
    for number in range(60):
        login(f"nobody{number}", "a guess")
    assert wait_of(login(new.username))
    assert login(neighbour.username).status_code == 200


def test_a_network_is_known_again_after_the_secret_was_replaced(settings):
    user = UserFactory()
    assert login(user.username, address=HOME).status_code == 200
    before = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [before]
    limits._cell.cache_clear()
    for number in range(30):
        refused(login(user.username, "a guess", f"192.0.2.{number}"), 401, "invalid_credentials")
    assert wait_of(login(user.username, address=STRANGER))
    assert login(user.username, address=HOME).status_code == 200
    assert SignIn.objects.latest("id").network == mark_of(HOME)
    settings.SECRET_KEY_FALLBACKS = []
    SignIn.objects.latest("id").delete()
    assert wait_of(login(user.username, address=HOME))


def test_a_sign_in_keeps_a_mark_of_its_network_and_no_address():
    login(UserFactory().username, address="2001:db8::7")
    (stored,) = SignIn.objects.values_list("network", flat=True)
    assert stored == mark_of("2001:db8::/64")
    assert len(stored) == 16


def test_a_call_that_fails_for_another_reason_is_no_guess(monkeypatch):
    user = UserFactory()
    with monkeypatch.context() as patch:
        patch.setattr("accounts.sessions.user_by_credentials", lambda *_: 1 / 0)
        for _ in range(5):
            assert login(user.username, "a guess").status_code == 500
    assert login(user.username).status_code == 200


class TestRightPasswords:
    def test_of_a_pending_user_are_limited(self, settings):
        settings.UNAPPROVED_SIGN_INS = (2, 3600)
        user = UserFactory(pending=True)
        for _ in range(2):
            refused(login(user.username), 403, "approval_pending")
        assert 1700 < wait_of(login(user.username)) <= 1800
        refused(login(user.username, address=HOME), 403, "approval_pending")

    @pytest.mark.django_db(transaction=True)
    def test_of_a_pending_user_are_limited_at_once_too(self, settings):
        settings.UNAPPROVED_SIGN_INS = (2, 3600)
        settings.SIGN_IN_FAILURES = (20, 3600)
        user = UserFactory(pending=True)
        answers = at_once(*(lambda: login(user.username) for _ in range(6)))
        assert sorted(answer.status_code for answer in answers) == [403] * 2 + [429] * 4

    def test_are_limited_for_everyone(self, settings):
        settings.SIGN_INS = (2, 3600)
        user = UserFactory()
        for _ in range(2):
            assert login(user.username).status_code == 200
        wait_of(login(user.username))
        assert SignIn.objects.count() == 2

    def test_are_not_used_up_by_wrong_ones(self, settings):
        settings.SIGN_INS = (1, 3600)
        user = UserFactory()
        login(user.username, "a guess")
        assert login(user.username).status_code == 200


class TestOnSeveralHosts:
    """What one host stores, the others read from their copies."""

    pytestmark = [
        pytest.mark.django_db(transaction=True),
        pytest.mark.skipif(not replica.is_used(), reason="only D1 with its replica (TEST_ENGINE=d1)"),
    ]

    def test_what_is_stored_costs_no_round_trip_of_its_own(self, settings):
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.BCryptSHA256PasswordHasher"]
        user = UserFactory()
        ApiClient.approved().get("/api/auth/me")
        for stored in (0, 3):
            before = connection.round_trips
            login(user.username, "a guess")
            assert (connection.round_trips - before, StoredGuesses.objects.count()) == (2, stored)

    def test_a_first_failure_is_not_stored(self):
        login(UserFactory().username, "a guess")
        assert not StoredGuesses.objects.exists()

    def test_a_lock_holds_on_another_host(self):
        user = UserFactory()
        for _ in range(3):
            login(user.username, "a guess")
        limits.host_cells.forget()  # this is another host now
        assert 1100 < wait_of(login(user.username)) <= 1200

    def test_failures_on_several_hosts_add_up(self, settings):
        settings.SIGN_IN_FAILURES = (4, 3600)
        user = UserFactory()
        for _ in range(2):
            login(user.username, "a guess")
        limits.host_cells.forget()
        for _ in range(2):
            refused(login(user.username, "a guess"), 401, "invalid_credentials")
        limits.host_cells.forget()
        wait_of(login(user.username))

    def test_the_right_password_forgets_them_everywhere(self):
        user = UserFactory()
        for _ in range(2):
            login(user.username, "a guess")
        assert login(user.username).status_code == 200
        limits.host_cells.forget()
        for _ in range(3):
            refused(login(user.username, "a guess"), 401, "invalid_credentials")


def test_one_stored_guess_of_64_deletes_those_that_are_over():
    over, held = limits.now() - 2_000_000, limits.now() + 60_000_000
    for key, full_at in ((1, over), (2, held), (63, held), (64, held)):
        StoredGuesses.objects.create(pk=key, full_at=full_at, step=1)
        kept = set(StoredGuesses.objects.values_list("pk", flat=True))
        assert (1 in kept) == (key != 64)
    assert kept == {2, 63, 64}


def test_another_secret_has_tries_of_its_own(settings):
    """As the codes of a password reset have: five wrong ones."""
    user = UserFactory()
    for _ in range(3):
        login(user.username, "a guess")

    def wrong_code():
        with guesses.attempt("reset", (5, 3600), address=STRANGER, username=user.username) as guess:
            guess.fail()

    for _ in range(5):
        wrong_code()
    with pytest.raises(TooMany):
        wrong_code()
