"""PUT and DELETE /api/admin/users/{id}"""

import pytest

from accounts import services
from accounts.models import SignIn, User
from core.errors import Conflict
from core.models import AuditEntry
from tests.api.client import ApiClient, refused
from tests.factories.accounts import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

NEW = "nine yards of silk"


@pytest.fixture
def admin():
    return ApiClient.admin()


def put(client, user, **body):
    return client.put(f"/api/admin/users/{user.pk}", body)


def delete(client, user):
    return client.delete(f"/api/admin/users/{user.pk}")


def as_stored(user):
    return User.objects.values().get(pk=user.pk)


def test_what_is_sent_is_changed_and_nothing_else(admin):
    user = UserFactory()
    response = put(admin, user, username="Meera", is_admin=True)
    assert response.status_code == 200
    assert response.json()["username"] == "Meera"
    assert response.json()["is_admin"] is True
    assert response.json()["is_approved"] is True
    assert as_stored(user)["username_key"] == "meera"


def test_a_name_that_may_be_confused_with_another_is_taken_but_not_by_oneself(admin):
    UserFactory(username="Meera")
    user = UserFactory(username="pop")
    refused(put(admin, user, username="Меега".replace("г", "r")), 409, "username_taken")
    assert put(admin, user, username="p0p").json()["username"] == "p0p"


def test_nothing_sent_is_nothing_changed(admin):
    user = UserFactory()
    before = as_stored(user)
    assert put(admin, user).status_code == 200
    assert put(admin, user, username=user.username, is_admin=False, is_approved=True).status_code == 200
    assert as_stored(user) == before
    assert not AuditEntry.objects.exists()


def test_un_approving_is_rejecting(admin):
    phone = ApiClient.approved()
    shown = put(admin, phone.user, is_approved=False).json()
    assert shown["state"] == "rejected"
    assert shown["reviewed_by"]["id"] == admin.user.pk
    refused(phone.get("/api/auth/me"), 401, "token_revoked")
    assert put(admin, phone.user, is_approved=True).json()["state"] == "approved"
    refused(phone.get("/api/auth/me"), 401, "token_revoked")


def test_un_approving_who_waits_is_rejecting_too(admin):
    assert put(admin, UserFactory(pending=True), is_approved=False).json()["state"] == "rejected"


def test_a_demotion_holds_at_once_and_keeps_the_sign_in(admin):
    other = ApiClient.admin()
    put(admin, other.user, is_admin=False)
    refused(other.get("/api/admin/users"), 403, "forbidden")
    assert other.get("/api/auth/me").json()["is_admin"] is False


def test_a_new_password_ends_the_users_sign_ins(admin):
    phone = ApiClient.approved()
    put(admin, phone.user, password=NEW)
    refused(phone.get("/api/auth/me"), 401, "token_revoked")
    body = {"username": phone.user.username, "password": NEW}
    assert ApiClient().post("/api/auth/login", body).status_code == 200


def test_changes_are_audited_without_the_password(admin):
    user = UserFactory(username="Meera")
    put(admin, user, username="Mira", is_admin=True, password=NEW)
    entry = AuditEntry.objects.get()
    assert entry.action == "user.update"
    assert entry.changes["username"] == ["Meera", "Mira"]
    assert entry.changes["is_admin"] == [False, True]
    told = str(admin.get("/api/admin/audit").json())
    assert NEW not in told
    assert as_stored(user)["password"] not in told


def test_a_taken_name_is_refused_and_nothing_is_changed(admin):
    UserFactory(username="Meera")
    user = UserFactory()
    before = as_stored(user)
    refused(put(admin, user, username="MEERA", is_admin=True), 409, "username_taken")
    assert as_stored(user) == before
    assert not AuditEntry.objects.exists()


def test_a_name_may_change_its_case(admin):
    assert put(admin, UserFactory(username="meera"), username="Meera").json()["username"] == "Meera"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "x"),
        ("username", None),
        ("username", "a b c"),
        ("is_admin", "true"),
        ("is_admin", 1),
        ("is_admin", None),
        ("is_approved", "no"),
        ("password", "short"),
        ("password", "password"),
        ("password", None),
    ],
)
def test_a_bad_value_is_named_and_nothing_is_changed(admin, field, value):
    user = UserFactory()
    before = as_stored(user)
    body = {"username": "Mira", "is_admin": True, field: value}
    assert list(refused(put(admin, user, **body), 400, "invalid")) == [field]
    assert as_stored(user) == before


def test_a_user_is_deleted_with_his_sign_ins(admin):
    phone = ApiClient.approved()
    body = delete(admin, phone.user).json()
    assert body["success"] is True
    refused(phone.get("/api/auth/me"), 401, "token_revoked")
    refresh = ApiClient().post("/api/auth/refresh", {"refresh_token": phone.tokens.refresh_token})
    refused(refresh, 401, "token_revoked")
    refused(delete(admin, phone.user), 404, "not_found")
    assert not SignIn.objects.filter(user_id=phone.user.pk).exists()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object_label) == ("user.delete", phone.user.username)


def test_those_whom_a_deleted_admin_reviewed_stay(admin):
    reviewer = UserFactory(admin=True)
    user = UserFactory(reviewed_by=reviewer)
    delete(admin, reviewer)
    assert admin.get(f"/api/admin/users/{user.pk}").json()["reviewed_by"] is None


ON_ONESELF = {
    "demoting": lambda admin: put(admin, admin.user, is_admin=False),
    "rejecting": lambda admin: put(admin, admin.user, is_approved=False),
    "deleting": lambda admin: delete(admin, admin.user),
}


@pytest.mark.parametrize("act", ON_ONESELF.values(), ids=ON_ONESELF)
class TestOnOneself:
    def test_is_refused(self, admin, act):
        UserFactory(admin=True)
        before = as_stored(admin.user)
        refused(act(admin), 409, "own_account")
        assert as_stored(admin.user) == before

    def test_the_last_approved_admin_learns_that_he_is(self, admin, act):
        UserFactory(admin=True, rejected=True)
        before = as_stored(admin.user)
        refused(act(admin), 409, "last_admin")
        assert as_stored(admin.user) == before


def test_one_may_rename_oneself_and_keep_what_one_has(admin):
    assert put(admin, admin.user, username="Asha", is_admin=True, is_approved=True).status_code == 200


def test_two_admins_cannot_depose_each_other(admin):
    other = UserFactory(admin=True)
    services.user_update(admin.user, other.pk, is_admin=False)
    with pytest.raises(Conflict) as caught:
        services.user_update(other, admin.user.pk, is_admin=False)
    assert caught.value.code == "last_admin"


@pytest.mark.parametrize("number", ["0", "999999", "9" * 30])
def test_unknown_ids_are_not_found(admin, number):
    refused(admin.put(f"/api/admin/users/{number}", {"is_admin": True}), 404, "not_found")
    refused(admin.delete(f"/api/admin/users/{number}"), 404, "not_found")


def test_only_admins_change_users():
    user = UserFactory()
    before = as_stored(user)
    for client, status, code in (
        (ApiClient(), 401, "not_authenticated"),
        (ApiClient(user), 403, "forbidden"),
    ):
        before = as_stored(user)
        refused(put(client, user, is_admin=True), status, code)
        refused(put(client, user, password=PASSWORD), status, code)
        refused(delete(client, user), status, code)
        assert as_stored(user) == before
