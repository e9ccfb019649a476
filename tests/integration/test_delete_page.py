"""/account/delete: the page that deletes an account without the app."""

import re

import pytest
from django.test import Client, override_settings

from accounts.models import User
from core.models import AuditEntry
from tests.api.client import ApiClient
from tests.factories.accounts import PASSWORD, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("deletions")]

PATH = "/account/delete"


class Browser:
    """Opens the page and sends its form, with the token in it."""

    def __init__(self):
        self.http = Client(enforce_csrf_checks=True)
        self.page = self.http.get(PATH)

    def send(self, username, password=PASSWORD, confirmed="on", **more):
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.page.content.decode())[1]
        form = {"csrfmiddlewaretoken": token, "username": username, "password": password, **more}
        return self.http.post(PATH, form | ({"confirmed": confirmed} if confirmed else {}))


def text_of(response):
    return response.content.decode()


@pytest.mark.parametrize("state", [{}, {"pending": True}, {"rejected": True}, {"editor": True}], ids=str)
def test_an_account_in_any_state_is_deleted_by_its_password(state):
    user = UserFactory(**state)
    response = Browser().send(user.username)
    assert response.status_code == 200
    assert "Your account is deleted" in text_of(response)
    assert not User.objects.filter(pk=user.pk).exists()
    assert AuditEntry.objects.get().actor_username == f"deleted-{user.pk}"


def test_the_phone_is_signed_out():
    phone = ApiClient.approved()
    Browser().send(phone.user.username)
    assert phone.get("/api/auth/me").status_code == 401


def test_the_name_is_compared_as_at_a_sign_in():
    UserFactory(username="Asha.Rao")
    assert Browser().send("  asha.RAO ").status_code == 200


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"username": ""}, "Enter your username."),
        ({"password": ""}, "Enter your password."),
        ({"confirmed": None}, "Tick the box"),
        ({"password": "x" * 2000}, "The username or the password is wrong."),
        ({"username": "nul\0"}, "Null characters"),
    ],
)
def test_what_is_missing_is_said_in_words(sent, sentence):
    user = UserFactory()
    response = Browser().send(**{"username": user.username} | sent)
    assert response.status_code == 400
    assert sentence in text_of(response)
    assert "Your account was not deleted" in text_of(response)
    assert PASSWORD not in text_of(response)
    assert User.objects.filter(pk=user.pk).exists()


def test_a_wrong_name_and_a_wrong_password_get_the_same_answer():
    user = UserFactory()
    pages = [Browser().send(user.username, "wrong one"), Browser().send("nobody", "wrong one")]
    assert [page.status_code for page in pages] == [403, 403]
    assert all("The username or the password is wrong." in text_of(page) for page in pages)
    assert User.objects.filter(pk=user.pk).exists()


def test_the_last_admin_stays():
    admin = UserFactory(admin=True)
    response = Browser().send(admin.username)
    assert response.status_code == 409
    assert "last approved admin" in text_of(response)
    assert User.objects.filter(pk=admin.pk).exists()


@override_settings(SIGN_IN_FAILURES=(2, 60))
def test_wrong_passwords_count_as_failed_sign_ins():
    user, browser = UserFactory(), Browser()
    for _ in range(2):
        browser.send(user.username, "wrong one")
    response = browser.send(user.username)
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0
    assert "Too many attempts" in text_of(response)
    assert ApiClient().post(
        "/api/auth/login", {"username": user.username, "password": PASSWORD}
    ).status_code == 429  # fmt: skip


@override_settings(SIGN_IN_REQUESTS=(2, 60))
def test_forms_count_as_calls_that_sign_in():
    browser = Browser()
    assert [browser.send("").status_code for _ in range(3)] == [400, 400, 429]


def test_a_form_of_another_site_is_refused_in_words():
    user = UserFactory()
    browser = Browser()
    response = browser.http.post(PATH, {"username": user.username, "password": PASSWORD, "confirmed": "on"})
    assert response.status_code == 403
    assert "reload the page" in text_of(response)
    assert User.objects.filter(pk=user.pk).exists()


def test_the_page_needs_no_script_and_lets_nobody_frame_or_keep_it():
    page = Browser().page
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert "no-store" in page.headers["Cache-Control"]
    assert "<script" not in text_of(page)
    assert "style=" not in text_of(page)


def test_other_methods_are_refused():
    assert Client().put(PATH).status_code == 405
