"""Who gets into the admin, for how long, and what the pages may load."""

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts import services
from accounts.models import EDITORS, User
from core.cache import SteadyRedisCache
from core.models import AuditEntry
from tests.api.client import ApiClient, refused
from tests.factories.accounts import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

INDEX, LOGIN = reverse("admin:index"), reverse("admin:login")
OWN_PASSWORD = reverse("admin:password_change")
NEW = "nine yards of silk"
NOT_FOR_EDITORS = [
    reverse("admin:accounts_user_changelist"),
    reverse("admin:core_appsetting_changelist"),
    reverse("admin:core_auditentry_changelist"),
]


@pytest.fixture
def boss():
    return UserFactory(username="Asha", admin=True)


def signed_in(user, password=PASSWORD):
    client = Client()
    client.post(LOGIN, {"username": user.username, "password": password})
    return client


def is_in(client):
    return client.get(INDEX).status_code == 200


def change_password(client, old=PASSWORD, new=NEW):
    form = {"old_password": old, "new_password1": new, "new_password2": new}
    return client.post(OWN_PASSWORD, form)


class TestAnEditor:
    @pytest.fixture
    def editor(self):
        user = UserFactory(username="Esha")
        user.groups.add(Group.objects.get(name=EDITORS))
        return signed_in(user)

    def test_is_led_to_designs_and_images_and_nowhere_else(self, editor):
        page = editor.get(INDEX).content.decode()
        assert reverse("admin:designs_design_changelist") in page
        assert reverse("admin:uploads_image_changelist") in page
        for path in NOT_FOR_EDITORS:
            assert f'href="{path}' not in page

    @pytest.mark.parametrize("path", NOT_FOR_EDITORS)
    def test_is_refused_what_is_not_his(self, editor, path):
        assert editor.get(path).status_code == 403
        assert editor.post(path, {"public_catalogue": "on"}).status_code == 403

    def test_has_no_more_in_the_app_than_any_user(self, editor):
        app = ApiClient(User.objects.get(username="Esha"))
        refused(app.get("/api/admin/users"), 403, "forbidden")


class TestASession:
    def test_ends_with_a_rejection_and_an_approval_does_not_bring_it_back(self, boss):
        other = UserFactory(admin=True)
        browser = signed_in(other)
        assert is_in(browser)
        services.user_reject(boss, other.pk, "Left the firm")
        assert not is_in(browser)
        services.user_approve(boss, other.pk)
        assert not is_in(browser)
        assert is_in(signed_in(other))

    def test_ends_when_the_editor_is_none_any_longer(self, boss):
        editor = services.user_create(boss, "Esha", PASSWORD, is_admin=False, is_editor=True)
        browser = signed_in(editor)
        assert is_in(browser)
        services.user_update(boss, editor.pk, is_editor=False)
        assert not is_in(browser)

    def test_outlives_a_change_of_ones_own_password_alone(self, boss):
        here, elsewhere, app = signed_in(boss), signed_in(boss), ApiClient(boss)
        assert change_password(here).status_code == 302
        assert is_in(here)
        assert not is_in(elsewhere)
        refused(app.get("/api/auth/me"), 401, "token_revoked")
        assert is_in(signed_in(boss, NEW))
        assert AuditEntry.objects.get().changes == {"password": ["(hidden)", "(hidden)"]}

    def test_outlives_a_change_of_ones_own_password_on_the_page_of_users(self, boss):
        UserFactory(admin=True)
        here, elsewhere = signed_in(boss), signed_in(boss)
        page = reverse("admin:accounts_user_change", args=[boss.pk])
        inlines = here.get(page).context["inline_admin_formsets"]
        form = {
            field.html_name: field.value() for formset in inlines for field in formset.formset.management_form
        }
        form |= {"username": boss.username, "new_password": NEW, "is_admin": "on"}
        assert here.post(page, form).status_code == 302
        assert is_in(here)
        assert not is_in(elsewhere)

    def test_ends_with_a_password_that_is_changed_in_the_app(self, boss):
        browser, app = signed_in(boss), ApiClient(boss)
        body = {"current_password": PASSWORD, "new_password": NEW}
        assert app.post("/api/auth/password", body).status_code == 200
        assert not is_in(browser)


class TestOnesOwnPassword:
    @pytest.mark.parametrize("new", ["short", "password", "x" * 129])
    def test_keeps_the_rules(self, boss, new):
        assert change_password(signed_in(boss), new=new).status_code == 200
        assert User.objects.get(pk=boss.pk).check_password(PASSWORD)

    def test_is_not_found_out_by_trying(self, boss, settings):
        settings.SIGN_IN_FAILURES = (2, 60)
        browser = signed_in(boss)
        for _ in range(2):
            change_password(browser, old="a guess")
        page = change_password(browser).content.decode()
        assert "Too many attempts" in page
        assert User.objects.get(pk=boss.pk).check_password(PASSWORD)


class TestSigningInWhileRedisIsAway:
    @pytest.fixture(autouse=True)
    def _redis_that_is_away(self, settings, tmp_path, monkeypatch):
        monkeypatch.setattr(SteadyRedisCache, "away_until", 0.0)
        settings.CACHES = {
            "default": {
                "BACKEND": "core.cache.SteadyRedisCache",
                "LOCATION": "redis://127.0.0.1:1/0",
            },
            "host": {"BACKEND": "core.cache.FolderCache", "LOCATION": tmp_path},
        }

    def test_works(self, boss):
        assert is_in(signed_in(boss))
        body = {"username": boss.username, "password": PASSWORD}
        assert ApiClient().post("/api/auth/login", body).status_code == 200

    def test_is_counted_and_locked_all_the_same(self, boss, settings):
        settings.SIGN_IN_FAILURES = (2, 60)
        for _ in range(2):
            signed_in(boss, "a guess")
        assert not is_in(signed_in(boss))
        body = {"username": boss.username, "password": PASSWORD}
        refused(ApiClient().post("/api/auth/login", body), 429, "too_many_attempts")

    def test_asks_redis_again_after_a_while(self, monkeypatch):
        cache.get("anything")
        assert SteadyRedisCache.away_until > 0
        tried = []
        monkeypatch.setattr("django.core.cache.backends.redis.RedisCache.get", lambda *_: tried.append(1))
        cache.get("anything")
        assert tried == []
        monkeypatch.setattr("time.monotonic", lambda: SteadyRedisCache.away_until + 1)
        cache.get("anything")
        assert tried == [1]


def test_the_policy_allows_no_script_in_the_page_and_nothing_from_elsewhere(boss):
    policy = signed_in(boss).get(INDEX)["Content-Security-Policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["script-src"] == "'self' 'unsafe-eval'"
    assert directives["default-src"] == "'self'"
    assert directives["frame-ancestors"] == "'none'"
    assert "'unsafe-inline'" not in policy.replace(directives["style-src"], "")
