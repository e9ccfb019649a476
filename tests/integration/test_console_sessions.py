"""Sessions of the console: rows of the sign-ins, named by a signed cookie."""

import time
from datetime import timedelta

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import services
from accounts.models import EDITORS, SignIn, User
from accounts.tokens import AccessToken
from console.sessions import ROW, SessionStore
from tests.api.client import ApiClient, refused
from tests.factories.accounts import PASSWORD, SignInFactory, UserFactory
from tests.races import Meanwhile, at_once

pytestmark = pytest.mark.django_db

INDEX, LOGIN, LOGOUT = reverse("admin:index"), reverse("admin:login"), reverse("admin:logout")
OWN = reverse("admin:own_sessions")
COOKIE = "sessionid"


@pytest.fixture
def boss():
    return UserFactory(username="Asha", admin=True)


def sign_in(user, client=None, **headers):
    client = client or Client()
    answer = client.post(LOGIN, {"username": user.username, "password": PASSWORD}, headers=headers)
    assert answer.status_code == 302, answer.content
    return client


def is_in(client):
    return client.get(OWN).status_code == 200


def tab_of(client):
    """Another client with the same cookie."""
    tab = Client()
    tab.cookies[COOKIE] = client.cookies[COOKIE].value
    return tab


def row_of(client):
    return SignIn.objects.get(pk=SessionStore(client.cookies[COOKIE].value)[ROW][0])


def end_path(sign_in):
    return reverse("admin:end_own_session", args=[sign_in.pk])


def cookie_for(user, sign_in_id, began):
    """A cookie as the server signs it."""
    store = SessionStore()
    store.update(
        {
            SESSION_KEY: str(user.pk),
            BACKEND_SESSION_KEY: "accounts.backends.StaffBackend",
            HASH_SESSION_KEY: user.get_session_auth_hash(),
            ROW: [sign_in_id, began],
        }
    )
    store.save()
    return store.session_key


class TestAnotherSecret:
    """SECRET_KEY is replaced while somebody is at work."""

    @pytest.fixture
    def client(self, boss, settings):
        client = sign_in(boss)
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "the secret from now on"
        return client

    def test_ends_no_session_and_no_form_that_is_open(self, client):
        assert is_in(client)
        assert is_in(tab_of(client))
        other = SignInFactory(user=User.objects.get(), kind="console")
        assert client.post(end_path(other)).status_code == 302
        other.refresh_from_db()
        assert other.ended_at is not None

    def test_signs_new_sessions_alone(self, client, boss, settings):
        new = sign_in(boss)
        settings.SECRET_KEY_FALLBACKS = []
        assert is_in(new)
        assert not is_in(client)

    def test_still_lets_people_sign_out(self, client):
        earlier = tab_of(client)
        assert client.post(LOGOUT).status_code == 200
        assert not is_in(earlier)


class TestABeginning:
    def test_is_one_row_and_a_cookie_for_twelve_hours(self, boss):
        client = sign_in(boss, user_agent="Firefox/150")
        row = SignIn.objects.get()
        assert (row.kind, row.user_agent, row.ended_at, row.refresh_id) == (
            "console",
            "Firefox/150",
            None,
            "",
        )
        assert row.expires_at - row.created_at == timedelta(hours=12)
        assert User.objects.get(pk=boss.pk).last_login == row.created_at
        cookie = client.cookies[COOKIE]
        assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 12 * 60 * 60)

    def test_gives_a_new_id_and_leaves_the_earlier_cookie_outside(self):
        victim = UserFactory(admin=True)
        planted = SessionStore()
        planted["anything"] = "from a stranger"
        planted.save()
        client = Client()
        client.cookies[COOKIE] = planted.session_key
        stranger = tab_of(client)
        sign_in(victim, client)
        assert is_in(client)
        assert not is_in(stranger)

    def test_in_the_same_browser_ends_the_earlier_session(self, boss):
        client = sign_in(boss)
        earlier = tab_of(client)
        sign_in(boss, client)
        assert is_in(client)
        assert not is_in(earlier)
        assert SignIn.objects.filter(ended_at=None).count() == 1

    def test_as_somebody_else_ends_it_too(self, boss):
        client = sign_in(boss)
        earlier = tab_of(client)
        sign_in(UserFactory(admin=True), client)
        assert is_in(client)
        assert not is_in(earlier)

    @pytest.mark.django_db(transaction=True)
    def test_with_a_password_that_has_just_changed_is_none(self, boss, monkeypatch):
        change = Meanwhile(
            monkeypatch,
            "accounts.guesses.Guess.succeed",
            lambda: services.user_update(None, boss.pk, password="nine yards of silk"),
        )
        client = Client()
        answer = client.post(LOGIN, {"username": boss.username, "password": PASSWORD})
        assert change.answer() == boss
        assert "Please enter the correct username and password" in answer.content.decode()
        assert not is_in(client)
        assert not SignIn.objects.exists()


class TestAnEnd:
    def test_by_signing_out_holds_in_every_tab_and_for_a_kept_cookie(self, boss):
        client = sign_in(boss)
        tab = tab_of(client)
        assert client.post(LOGOUT).status_code == 200
        assert client.cookies[COOKIE].value == ""
        assert SignIn.objects.get().ended_at is not None
        assert not is_in(tab)
        assert tab.post(end_path(SignIn.objects.get())).status_code == 302
        assert not is_in(client)

    @pytest.mark.parametrize(
        "ground",
        [
            lambda boss, user: services.user_reject(boss, user.pk, "Left the firm"),
            lambda boss, user: services.user_update(boss, user.pk, is_approved=False),
            lambda boss, user: services.user_update(boss, user.pk, is_admin=False),
            lambda boss, user: services.user_update(boss, user.pk, password="nine yards of silk"),
        ],
        ids=["rejection", "un-approval", "demotion", "password"],
    )
    def test_is_for_good(self, boss, ground):
        user = UserFactory(admin=True)
        client, owner = sign_in(user), sign_in(boss)
        assert is_in(client)
        ground(boss, user)
        assert not is_in(client)
        User.objects.filter(pk=user.pk).update(is_approved=True, is_admin=True)
        assert not is_in(client)
        assert is_in(owner)

    def test_comes_with_the_user(self, boss):
        user = UserFactory(admin=True)
        client = sign_in(user)
        services.user_delete(boss, user.pk)
        assert not is_in(client)

    def test_by_demotion_leaves_the_app_signed_in(self, boss):
        editor = services.user_create(boss, "Esha", PASSWORD, is_admin=False, is_editor=True)
        client, app = sign_in(editor), ApiClient(editor)
        services.user_update(boss, editor.pk, is_editor=False)
        services.user_update(boss, editor.pk, is_editor=True)
        assert not is_in(client)
        assert app.get("/api/auth/me").status_code == 200

    def test_comes_after_twelve_hours_by_the_row_and_by_the_cookie(self, boss):
        client = sign_in(boss)
        row = row_of(client)
        SignIn.objects.update(expires_at=timezone.now())
        assert not is_in(client)
        SignIn.objects.update(expires_at=timezone.now() + timedelta(days=1))
        assert is_in(client)
        client.cookies[COOKIE] = cookie_for(boss, row.pk, time.time() - 12 * 60 * 60)
        assert not is_in(client)

    def test_is_cleared_with_the_others(self, boss):
        client = sign_in(boss)
        SignInFactory(kind="console", ended_at=timezone.now() - timedelta(days=8))
        call_command("tidy", only="sign_ins")
        assert SignIn.objects.get() == row_of(client)


class TestTheOwnPage:
    def test_lists_and_ends_ones_own_sessions_of_the_console_alone(self, boss):
        here, there = sign_in(boss), sign_in(boss, user_agent="Tablet")
        app, other = ApiClient(boss), sign_in(UserFactory(admin=True))
        page = here.get(OWN).content.decode()
        assert "Tablet" in page
        assert end_path(row_of(there)) in page
        for foreign in (app.tokens.sign_in, row_of(other), row_of(here)):
            assert end_path(foreign) not in page
        for foreign in (app.tokens.sign_in, row_of(other)):
            answer = here.post(end_path(foreign), follow=True)
            assert "has ended already" in answer.content.decode()
        assert here.get(end_path(row_of(there))).status_code == 405
        assert here.post(end_path(row_of(there))).status_code == 302
        assert not is_in(there)
        assert is_in(here)
        assert is_in(other)
        assert app.get("/api/auth/me").status_code == 200

    def test_is_open_to_an_editor_and_linked_from_every_page(self):
        editor = UserFactory()
        editor.groups.add(Group.objects.get(name=EDITORS))
        assert f'href="{OWN}"' in sign_in(editor).get(INDEX).content.decode()

    def test_two_who_end_one_at_once(self, boss):
        here, there = sign_in(boss), sign_in(boss)
        row = row_of(there)
        here.post(end_path(row))
        assert "has ended already" in here.post(end_path(row), follow=True).content.decode()


class TestTheApi:
    def test_lists_and_ends_its_own_sign_ins_alone(self, boss):
        app, console = ApiClient(boss), sign_in(boss)
        row = row_of(console)
        items = app.get("/api/auth/sessions").json()["items"]
        assert [(item["id"], item["current"]) for item in items] == [(app.tokens.sign_in.pk, True)]
        refused(app.delete(f"/api/auth/sessions/{row.pk}"), 404, "not_found")
        assert is_in(console)

    def test_takes_no_sign_in_of_the_console_and_the_console_none_of_its(self, boss):
        app, console = ApiClient(boss), sign_in(boss)
        refused(
            ApiClient(token=str(AccessToken.of(row_of(console)))).get("/api/auth/me"), 401, "token_revoked"
        )
        refused(ApiClient(token=console.cookies[COOKIE].value).get("/api/auth/me"), 401, "invalid_token")
        for cookie in (cookie_for(boss, app.tokens.sign_in.pk, time.time()), app.token):
            console.cookies[COOKIE] = cookie
            assert not is_in(console)


class TestACookie:
    @pytest.mark.parametrize("cookie", ["x", "a-session-that-was", "e30:1abcde:" + "A" * 43, "x" * 8000])
    def test_that_is_forged_is_deleted(self, cookie):
        client = Client()
        client.cookies[COOKIE] = cookie
        answer = client.get(INDEX)
        assert answer.status_code == 302
        assert answer.cookies[COOKIE]["max-age"] == 0

    def test_with_one_changed_letter_is_forged(self, boss):
        client = sign_in(boss)
        value = client.cookies[COOKIE].value
        client.cookies[COOKIE] = ("B" if value[0] == "A" else "A") + value[1:]
        assert not is_in(client)


@pytest.mark.django_db(transaction=True)
def test_a_page_that_meets_a_sign_out_is_whole_or_asks_to_sign_in(boss):
    for _ in range(4):
        client = sign_in(boss)
        tab = tab_of(client)
        out, page = at_once(lambda: client.post(LOGOUT), lambda: tab.get(OWN))  # noqa: B023
        assert out.status_code == 200
        assert page.status_code in (200, 302)
        assert not is_in(tab)


def test_a_form_asks_whether_its_session_is_open(boss):
    client = sign_in(boss)
    path = reverse("admin:session_is_open")
    assert client.get(path).status_code == 204
    client.post(LOGOUT)
    assert client.get(path).status_code == 302
