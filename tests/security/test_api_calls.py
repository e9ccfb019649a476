"""OWASP's API Security Top 10 (2023), API1 to API9, over every call of the URL configuration. rules.py is the table."""

import re
import socket

import pytest

from accounts.guesses import LOCKS
from accounts.models import ResetCode, SignIn, User
from core import app_settings
from tests.api.client import ApiClient, refused
from tests.api.test_writes_elsewhere import Call, stored
from tests.factories.accounts import UserFactory
from tests.security.callers import NO_ADMINS, STRANGERS, hardened
from tests.security.routes import METHODS, api_calls
from tests.security.rules import ADMIN, ANYONE, FORGED, GUESSES, READER, RULES

pytestmark = pytest.mark.django_db

# Lists that have an end of their own: a user's open sign-ins, `limit`, the settings.
UNPAGED = {
    "GET api/auth/sessions",
    "GET api/designs/suggest",
    "GET api/designs/<row_id:design_id>/similar",
    "GET api/admin/settings",
    "PUT api/admin/settings",
}
SECRET = re.compile(r"password|_hash|hash$|refresh_id|secret|_key$|skeleton")
HARMLESS = {"r2_object_key", "object_key", "avatar_object_key", "thumbhash"}
ELSEWHERE = "http://169.254.169.254/latest/meta-data"
NEIGHBOUR = {"full_name": "Nirmala Neighbour", "contact": "nirmala@neighbour.example"}

each_call = pytest.mark.parametrize("name", RULES)


@pytest.fixture(autouse=True)
def _stores(settings, tmp_path, folder):
    storage = settings.STORAGES["deletions"]
    options = {**storage["OPTIONS"], "location": tmp_path / "deletions"}
    settings.STORAGES = {**settings.STORAGES, "deletions": {**storage, "OPTIONS": options}}


@pytest.fixture
def call(name):
    """A call that succeeds, with the client that may make it."""
    return a_call(RULES[name])


def a_call(rule):
    UserFactory(admin=True, **NEIGHBOUR)
    client = ApiClient.admin() if rule.who == ADMIN else ApiClient.approved()
    return client, rule.made(client)


def keys_of(value):
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from keys_of(one)


def test_every_call_has_its_rule():
    assert api_calls() == RULES.keys()


def test_every_call_that_names_an_object_says_whose_it_may_be():
    of_users = {name for name, rule in RULES.items() if "<" in name and rule.who != ADMIN}
    assert {name for name in of_users if RULES[name].foreign is None} == set()


class TestEachCall:
    @each_call
    def test_is_made_by_those_who_may_and_shows_no_secret(self, name, call):
        client, made = call
        response = made.made(client)
        assert response.status_code in (200, 201), response.json()
        hardened(response)
        text = response.content.decode()
        if RULES[name].who != ADMIN:
            assert not any(detail in text for detail in NEIGHBOUR.values())
        assert [key for key in keys_of(response.json()) if SECRET.search(key) and key not in HARMLESS] == []
        hashes = [
            *User.objects.values_list("password", flat=True),
            *ResetCode.objects.values_list("code_hash", flat=True),
        ]
        ids = SignIn.objects.values_list("refresh_id", flat=True)
        assert not any(secret and secret in text for secret in (*hashes, *ids))

    @pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.foreign])
    def test_refuses_an_object_that_is_not_the_callers(self, name):
        rule = RULES[name]
        client = ApiClient.admin() if rule.who == ADMIN else ApiClient.approved()
        made = rule.foreign(client)
        before = stored()
        refused(made.made(client), *rule.refusal)
        assert stored() == before

    @each_call
    def test_sets_no_field_that_the_server_alone_sets(self, name, call):
        client, made = call
        admins, approved = known("is_admin"), known("is_approved")
        made.body = {**FORGED, **made.body}
        assert made.made(client).status_code in (200, 201)
        assert not re.search(r"4242424242|4242, 4, 24", repr(stored()))
        assert "is_admin" in RULES[name].sets or known("is_admin") <= admins
        assert "is_approved" in RULES[name].sets or known("is_approved") <= approved

    @each_call
    def test_counts_against_its_limit(self, name, call, settings):
        settings.REGISTRATIONS, settings.UPLOAD_REQUESTS = (91, 600), (92, 600)
        settings.SIGN_IN_REQUESTS = (93, 600)
        settings.ANONYMOUS_REQUESTS, settings.USER_REQUESTS = (94, 600), (95, 600)
        client, made = call
        shown = made.made(client).headers["RateLimit-Limit"]
        limit = RULES[name].limit
        assert int(shown) == (LOCKS if limit == GUESSES else getattr(settings, limit)[0])

    @each_call
    def test_takes_a_body_and_a_page_of_bounded_size(self, name, call, settings):
        client, made = call
        if made.method == "GET":
            body = made.made(client).json()
            if "items" not in body or name in UNPAGED:
                return
            made.body["per_page"] = settings.MAX_PAGE_SIZE + 1
            assert "per_page" in refused(made.made(client), 400, "invalid")
        elif "file" in made.body:
            settings.MAX_FILE_SIZE = made.body["file"].size - 1
            refused(made.made(client), 413, "file_too_large")
        elif made.body:
            made.body = {"more": "x" * settings.MAX_JSON_SIZE, **made.body}
            assert made.made(client).status_code == 413


def known(flag):
    return set(User.objects.filter(**{flag: True}).values_list("pk", flat=True))


class TestCallers:
    """Function-level authorisation: the calls are prepared first, so that only refusals lie between the two looks."""

    def refusals(self, calls, status, code):
        before = stored()
        for name, client, made in calls:
            response = made.made(client)
            assert response.status_code == status, name
            refused(response, status, code)
            hardened(response)
        assert stored() == before

    @pytest.mark.parametrize("kind", STRANGERS)
    def test_strangers_get_a_401_from_every_call_but_those_of_anyone(self, kind):
        make, code = STRANGERS[kind]
        calls = [(name, make(), a_call(rule)[1]) for name, rule in RULES.items() if rule.who != ANYONE]
        self.refusals(calls, 401, code)

    @pytest.mark.parametrize("kind", NO_ADMINS)
    def test_only_admins_make_an_admins_call(self, kind):
        clients = [(name, NO_ADMINS[kind](), rule) for name, rule in RULES.items() if rule.who == ADMIN]
        self.refusals([(name, client, rule.made(client)) for name, client, rule in clients], 403, "forbidden")

    def test_a_public_catalogue_opens_the_calls_of_readers_and_no_other(self):
        app_settings.settings_update(UserFactory(admin=True), {"public_catalogue": True})
        for name, rule in RULES.items():
            made = a_call(rule)[1]
            if rule.who == READER:
                assert made.made(ApiClient()).status_code == 200, name
            elif rule.who != ANYONE:
                refused(made.made(ApiClient()), 401, "not_authenticated")


@pytest.mark.parametrize(
    ("name", "sent", "field"),
    [
        ("GET api/designs", {"ids": ",".join(map(str, range(1, 102)))}, "ids"),
        ("GET api/designs", {"search": "x" * 501}, "search"),
        ("GET api/designs/facets", {"ids": ",".join(map(str, range(1, 102)))}, "ids"),
        ("GET api/designs/facets", {"q": "x" * 501}, "q"),
        ("GET api/designs/suggest", {"q": "x" * 501}, "q"),
        ("GET api/designs/<row_id:design_id>/similar", {"limit": 51}, "limit"),
        ("GET api/admin/analytics", {"days": 366}, "days"),
        ("POST api/designs", {"image_keys": [f"designs/{n}" for n in range(9)]}, "image_keys"),
        ("POST api/designs", {"title": "x" * 201}, "title"),
        ("PUT api/designs/<row_id:design_id>", {"description": "x" * 10_001}, "description"),
        ("POST api/auth/register", {"username": "x" * 51}, "username"),
        ("POST api/auth/register", {"password": "x" * 129}, "password"),
        ("PUT api/auth/me", {"full_name": "x" * 101}, "full_name"),
        ("PUT api/auth/me", {"contact": f"{'x' * 200}@example.org"}, "contact"),
        ("POST api/admin/users/<int:user_id>/reject", {"reason": "x" * 100_001}, "reason"),
    ],
)  # fmt: skip
def test_lists_and_texts_have_a_longest(name, sent, field):
    client, made = a_call(RULES[name])
    made.body |= sent
    assert field in refused(made.made(client), 400, "invalid")


def test_a_method_without_a_rule_is_a_405():
    client = ApiClient.admin()
    paths = {name.split(" ")[1]: a_call(rule)[1].path for name, rule in RULES.items()}
    for route, path in paths.items():
        for method in (*METHODS, "TRACE", "PROPFIND"):
            if f"{method} {route}" not in RULES:
                response = client.send(method, path)
                refused(response, 405, "method_not_allowed")
                hardened(response)


def test_no_call_makes_the_server_fetch_what_a_caller_names(monkeypatch):
    """Every text that a call takes is a URL, and so are the fields and headers that other services fetch by."""
    asked = []
    connect, look_up = socket.socket.connect, socket.getaddrinfo
    monkeypatch.setattr(socket.socket, "connect", lambda *to: asked.append(to[1:]) or connect(*to))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *to, **more: asked.append(to) or look_up(*to, **more))
    with pytest.raises(OSError, match=r"."):
        socket.create_connection(("169.254.169.254.invalid", 80), timeout=1)
    assert len(asked) == 1  # it would have been seen
    names = ("url", "image_url", "avatar_url", "callback", "webhook", "next", "redirect")
    headers = dict.fromkeys(("Origin", "Referer", "X-Forwarded-Host", "X-Original-URL"), ELSEWHERE)
    for rule in RULES.values():
        client, made = a_call(rule)
        texts = {key: ELSEWHERE if isinstance(value, str) else value for key, value in made.body.items()}
        bodies = [texts | dict.fromkeys(names, ELSEWHERE)]
        if "r2_object_key" in made.body or "title" in made.body:
            bodies.append({"title": "x", "category": "Saree", "image_keys": [ELSEWHERE]})
        for body in bodies:
            client.http.defaults |= {
                f"HTTP_{name.upper().replace('-', '_')}": one for name, one in headers.items()
            }
            answer = Call(made.method, made.path, body).made(client)
            assert answer.status_code < 500
    assert not [to for to in asked[1:] if "169.254" in repr(to)]
