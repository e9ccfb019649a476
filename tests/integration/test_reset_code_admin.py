"""The console's reset codes, and where it shows full names and contacts."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import ResetCode
from core.models import AuditEntry
from tests.api.client import ApiClient
from tests.factories.accounts import PASSWORD, UserFactory
from tests.integration.test_accounts_admin import management_of

pytestmark = pytest.mark.django_db

LIST = reverse("admin:accounts_user_changelist")
MEERA = {"full_name": "Meera <b>Devi", "contact": "+91 98765 43210"}


@pytest.fixture
def boss():
    return UserFactory(username="Asha", admin=True)


@pytest.fixture
def staff(boss):
    client = Client()
    client.force_login(boss)
    return client


def page_of(user):
    return reverse("admin:accounts_user_change", args=[user.pk])


def code_path(user):
    return reverse("admin:accounts_user_reset_code", args=[user.pk])


class TestAResetCode:
    def test_is_shown_once_and_works(self, staff):
        user = UserFactory(username="meera")
        assert code_path(user) in staff.get(page_of(user)).content.decode()
        response = staff.post(code_path(user))
        assert response.status_code == 200
        assert "no-store" in response.headers["Cache-Control"]
        code = re.search(r"<output[^>]*>([^<]+)</output>", response.content.decode())[1]
        assert code not in staff.get(page_of(user)).content.decode()
        sent = {"username": "meera", "code": code, "new_password": "nine yards of silk"}
        assert ApiClient().post("/api/auth/reset", sent).status_code == 200
        assert AuditEntry.objects.filter(action="user.reset_code").count() == 1

    def test_is_made_by_a_post_of_an_admin_alone(self, staff):
        user, editor = UserFactory(), Client()
        editor.force_login(UserFactory(editor=True))
        assert staff.get(code_path(user)).status_code == 405
        assert editor.post(code_path(user)).status_code == 403
        assert Client().post(code_path(user)).status_code == 302
        assert not ResetCode.objects.exists()

    def test_is_not_for_oneself(self, staff, boss):
        assert code_path(boss) not in staff.get(page_of(boss)).content.decode()
        assert staff.post(code_path(boss), follow=True).status_code == 200
        assert not ResetCode.objects.exists()


class TestDetails:
    def test_are_shown_in_the_list_the_queue_and_on_the_users_page(self, staff):
        user = UserFactory(pending=True, **MEERA)
        for path in (LIST, reverse("admin:accounts_user_approvals"), page_of(user)):
            page = staff.get(path).content.decode()
            assert "Meera &lt;b&gt;Devi" in page
            assert "+91 98765 43210" in page

    def test_are_searched_in_the_list(self, staff):
        UserFactory(username="first", **MEERA)
        UserFactory(username="second")
        for text in ("meera <b>", "9876543210"):
            page = staff.get(LIST, {"q": text}).content.decode()
            assert "first" in page
            assert "second" not in page

    def test_are_changed_there_without_a_word_in_the_audit_trail(self, staff):
        user = UserFactory(**MEERA)
        sent = {"username": user.username, "full_name": "Mira", "contact": "", "new_password": ""}
        inlines = management_of(staff.get(page_of(user)))
        assert staff.post(page_of(user), sent | inlines).status_code == 302
        user.refresh_from_db()
        assert (user.full_name, user.contact) == ("Mira", "")
        entry = AuditEntry.objects.get()
        assert (entry.action, entry.changes) == ("user.update", {})

    def test_are_refused_where_the_api_refuses_them(self, staff):
        sent = {"username": "meera", "new_password": PASSWORD, "full_name": "a\nb", "contact": "call me"}
        page = staff.post(reverse("admin:accounts_user_add"), sent).content.decode()
        assert "one line without control characters" in page
        assert "e-mail address or a telephone number" in page

    def test_are_given_to_a_new_user(self, staff):
        sent = {"username": "meera", "new_password": PASSWORD, **MEERA}
        assert staff.post(reverse("admin:accounts_user_add"), sent).status_code == 302
        assert ApiClient.admin().get("/api/admin/users", search="meera").json()["items"][0]["full_name"]
