"""POST /api/auth/reset: a new password by the code that staff gave."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ResetCode, SignIn, User
from accounts.resets import reset_code_create
from core.models import AuditEntry
from tests.api.client import ApiClient, refused
from tests.factories.accounts import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

PATH = "/api/auth/reset"
NEW = "nine yards of silk"
WRONG = "AAAA-AAAA-AAAA"


@pytest.fixture
def admin():
    return UserFactory(admin=True)


@pytest.fixture
def user():
    return UserFactory(username="Meera")


@pytest.fixture
def code(admin, user):
    return reset_code_create(admin, user.pk).code


def reset(code, username="Meera", new_password=NEW, address="127.0.0.1"):
    body = {"username": username, "code": code, "new_password": new_password}
    return ApiClient(address=address).post(PATH, body)


def login(username="Meera", password=NEW, **more):
    return ApiClient(**more).post("/api/auth/login", {"username": username, "password": password})


def test_the_code_sets_the_password_and_gives_no_token(user, code):
    response = reset(code)
    assert response.status_code == 200
    assert set(response.json()) == {"message", "success"}
    assert login().status_code == 200
    assert login(password=PASSWORD).status_code == 401


def test_a_code_outlives_a_change_of_the_secret(user, code, settings):
    before = settings.SECRET_KEY
    settings.SECRET_KEY = "another"
    refused(reset(code), 401, "invalid_code")
    settings.SECRET_KEY_FALLBACKS = [before]
    refused(reset(WRONG), 401, "invalid_code")
    assert ResetCode.objects.get().wrong_tries == 2
    assert reset(code).status_code == 200
    assert login().status_code == 200


def test_every_sign_in_ends(user, code, admin):
    User.objects.filter(pk=user.pk).update(is_admin=True)
    phone, console, other = ApiClient(user), Client(), ApiClient(admin)
    console.force_login(User.objects.get(pk=user.pk))
    assert console.get(reverse("admin:index")).status_code == 200
    assert reset(code).status_code == 200
    refused(phone.get("/api/auth/me"), 401, "token_revoked")
    refused(
        phone.post("/api/auth/refresh", {"refresh_token": phone.tokens.refresh_token}), 401, "token_revoked"
    )
    assert not SignIn.objects.filter(user=user, ended_at=None).exists()
    assert other.get("/api/auth/me").status_code == 200
    assert console.get(reverse("admin:index")).status_code == 302


@pytest.mark.parametrize(
    "typed", [str.lower, lambda code: code.replace("-", ""), lambda code: f"  {code.replace('-', ' ')} ",
              lambda code: code.replace("-", "–"), lambda code: "-".join(code.replace("-", ""))],
)  # fmt: skip
def test_capitals_spaces_and_hyphens_do_not_count(code, typed):
    assert reset(typed(code)).status_code == 200


@pytest.mark.parametrize("name", ["meera", " MEERA ", "Ｍeera", "Mee\u200dra"])
def test_the_name_counts_as_in_a_sign_in(code, name):
    assert reset(code, username=name).status_code == 200


@pytest.mark.parametrize("name", ["Меera", "rneera", "meera1", "", "x" * 300, "x" * 100_000])
def test_another_name_does_not_even_if_it_looks_the_same(code, name):
    answer = reset(code, username=name)
    assert answer.status_code == (401 if name else 400)
    assert login(password=PASSWORD).status_code == 200


@pytest.mark.parametrize("trait", ["pending", "rejected"])
def test_it_opens_no_account_that_is_not_approved(admin, trait):
    user = UserFactory(username="asha", **{trait: True})
    assert reset(reset_code_create(admin, user.pk).code, "asha").status_code == 200
    refused(login("asha"), 403, f"approval_{trait}")


def test_its_use_is_audited_without_code_or_password(user, code, caplog):
    caplog.set_level(0)
    AuditEntry.objects.all().delete()
    response = reset(code)
    entry = AuditEntry.objects.get()
    assert (entry.actor_id, entry.actor_username, entry.action) == (user.pk, "Meera", "user.reset_password")
    assert (entry.object_type, entry.object_id, entry.object_label) == ("user", str(user.pk), "Meera")
    assert entry.changes == {"password": ["(hidden)", "(hidden)"]}
    shown = ApiClient.admin().get("/api/admin/audit").json()["items"][0]
    assert (shown["actor"], shown["changes"]) == ({"id": user.pk, "username": "Meera"}, entry.changes)
    kept = [*AuditEntry.objects.values_list(), *(record.getMessage() for record in caplog.records)]
    for secret in (code, code.replace("-", ""), NEW, User.objects.get(pk=user.pk).password):
        assert not [line for line in [*kept, response.content] if secret in str(line)]


class TestADeadCode:
    """One answer, whatever it died of."""

    def refused(self, answer):
        assert refused(answer, 401, "invalid_code") == {}
        return answer.json()

    def test_is_answered_like_a_wrong_one_and_an_unknown_name(self, user, code):
        answers = [self.refused(reset(WRONG)), self.refused(reset(code, "nobody"))]
        ResetCode.objects.all().delete()
        answers.append(self.refused(reset(code)))
        assert answers[0] == answers[1] == answers[2]
        assert login(password=PASSWORD).status_code == 200

    def test_was_used(self, code):
        reset(code)
        self.refused(reset(code, new_password="eleven yards"))
        assert login().status_code == 200

    def test_was_replaced(self, admin, user, code):
        new = reset_code_create(admin, user.pk).code
        self.refused(reset(code))
        assert reset(new).status_code == 200

    def test_has_expired(self, code):
        ResetCode.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        self.refused(reset(code))

    def test_lives_until_its_last_second(self, code):
        ResetCode.objects.update(expires_at=timezone.now() + timedelta(seconds=5))
        assert reset(code).status_code == 200

    def test_was_guessed_at_five_times_from_anywhere(self, code):
        for number in range(5):
            self.refused(reset(WRONG, address=f"203.0.113.{number}"))
        self.refused(reset(code))

    def test_lives_after_four_wrong_ones(self, code):
        for number in range(4):
            self.refused(reset(WRONG, address=f"203.0.113.{number}"))
        assert reset(code).status_code == 200

    def test_gives_way_to_a_new_one_with_tries_of_its_own(self, admin, user, code):
        for _ in range(5):
            self.refused(reset(WRONG))
        assert reset(reset_code_create(admin, user.pk).code).status_code == 200

    def test_went_with_a_new_password_that_the_user_set(self, user, code):
        body = {"current_password": PASSWORD, "new_password": "eleven yards"}
        assert ApiClient(user).post("/api/auth/password", body).status_code == 200
        self.refused(reset(code))

    def test_went_with_a_new_password_that_staff_set(self, user, code):
        path = f"/api/admin/users/{user.pk}"
        assert ApiClient.admin().put(path, {"password": "eleven yards"}).status_code == 200
        self.refused(reset(code))

    def test_is_of_one_user_only(self, admin, code):
        UserFactory(username="asha")
        self.refused(reset(code, "asha"))


def test_a_change_of_anything_else_leaves_the_code_alive(user, code):
    admin = ApiClient.admin()
    admin.put(f"/api/admin/users/{user.pk}", {"full_name": "Meera Devi", "is_admin": True})
    ApiClient(user).put("/api/auth/me", {"contact": "meera@example.com"})
    login(password=PASSWORD)
    assert reset(code).status_code == 200


@pytest.mark.parametrize("password", ["12345", "x" * 129, "password", None, 5])
def test_a_refused_password_does_not_use_it_up(code, password):
    assert list(refused(reset(code, new_password=password), 400, "invalid")) == ["new_password"]
    assert reset(code).status_code == 200


def test_every_field_at_fault_is_named():
    assert set(refused(ApiClient().post(PATH, {}), 400, "invalid")) == {"username", "code", "new_password"}
    refused(reset(5), 400, "invalid")
    refused(ApiClient().get(PATH), 405, "method_not_allowed")


@pytest.mark.parametrize("code", ["x" * 100_000, "'; DROP", "💡", "-"])
def test_what_cannot_be_a_code_is_simply_wrong(user, code):
    refused(reset(code), 401, "invalid_code")


class TestGuesses:
    @pytest.fixture(autouse=True)
    def _three(self, settings):
        settings.SIGN_IN_FAILURES = (3, 3600)

    def test_from_one_network_are_limited_for_unknown_names_too(self, user, code):
        for name in ("Meera", "nobody"):
            assert [reset(WRONG, name).status_code for _ in range(4)] == [401, 401, 401, 429]
        refused(reset(code), 429, "too_many_attempts")
        assert reset(code, address="203.0.113.9").status_code == 200

    def test_at_the_forgotten_password_are_forgiven_with_the_reset(self, code):
        assert [login(password="forgotten").status_code for _ in range(4)] == [401, 401, 401, 429]
        assert reset(code).status_code == 200
        assert login().status_code == 200
