"""GET /api/auth/me/export"""

import json

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import ForeignKey

from accounts.models import User
from core import replica
from tests.api.client import ApiClient, refused
from tests.factories.accounts import PASSWORD, UserFactory
from tests.factories.designs import FavouriteFactory
from tests.factories.uploads import ImageFactory
from uploads.models import PendingUpload

pytestmark = pytest.mark.django_db

PATH = "/api/auth/me/export"
# Every column that says of a row that it belongs to a user, with the section of the export that has the row; or why
# none has. A new table with such a column must be named here.
COLUMNS_OF_USERS = {
    "sign_ins.user": "sign_ins",
    "user_favorites.user": "favourites",
    "images.uploaded_by": "images",
    "pending_uploads.user": "pending_uploads",
    "audit_entries.actor_id": "audit",
    "users_groups.user": "groups",
    "users_user_permissions.user": "not used: rights come from roles and the group of editors",
    "users.reviewed_by": "says who of the staff decided, and not whom it was about",
    "reset_codes.user": "a secret that lives for a day; making one is in the audit trail",
    "idempotency_keys.user": "a copy of an answer that lives for a day; what it made is in the audit trail",
    "django_admin_log.user": "not used: the audit trail stands in its place",
}  # fmt: skip


def columns_of_users():
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.concrete_fields:
            if (isinstance(field, ForeignKey) and field.related_model is User) or field.name in (
                "user_id",
                "actor_id",
            ):
                yield f"{model._meta.db_table}.{field.name}"


def test_every_table_about_users_is_exported_or_named():
    assert set(columns_of_users()) <= COLUMNS_OF_USERS.keys()
    sections = ApiClient.approved().get(PATH).json().keys()
    exported = {section for section in COLUMNS_OF_USERS.values() if " " not in section}
    assert sections == exported | {"profile"}


def test_the_profile_has_every_column_but_secrets_and_what_follows_from_the_name():
    client = ApiClient.approved()
    profile = client.get(PATH).json()["profile"]
    assert profile.keys() == {
        *(
            "id",
            "username",
            "full_name",
            "contact",
            "is_admin",
            "is_approved",
            "state",
            "rejection_reason",
            "reviewed_at",
        ),
        *("avatar_object_key", "created_at", "updated_at", "last_login"),
    }
    assert profile["username"] == client.user.username
    assert profile["created_at"].endswith("Z")


def test_all_that_is_kept_is_in_it():
    admin = ApiClient(UserFactory(admin=True, editor=True))
    other = ApiClient.admin()
    liked = FavouriteFactory(user=admin.user)
    avatar = ImageFactory(uploaded_by=admin.user, category="avatars")
    admin.get("/api/upload/presigned-url", content_type="image/jpeg", size=9)
    admin.post(f"/api/admin/users/{UserFactory(pending=True).pk}/approve")
    other.put(f"/api/admin/users/{admin.user.pk}", {"username": "Asha"})
    admin.put("/api/admin/settings", {"settings": {"registration_open": False}})
    kept = admin.get(PATH).json()
    assert kept["profile"]["username"] == "Asha"
    assert kept["groups"] == ["Editors"]
    assert [one["user_agent"] for one in kept["sign_ins"]] == ["tests"]
    assert kept["favourites"] == [
        {
            "design_id": liked.design_id,
            "title": liked.design.title,
            "created_at": kept["favourites"][0]["created_at"],
        }
    ]
    (image,) = kept["images"]
    assert image["object_key"] == avatar.object_key
    assert image["url"].startswith("http")
    assert kept["pending_uploads"][0]["object_key"] == PendingUpload.objects.get().object_key
    assert [(one["action"], one["by_you"]) for one in kept["audit"]] == [
        ("user.approve", True), ("user.update", False), ("settings.update", True),
    ]  # fmt: skip


def test_nothing_of_anybody_else_is_in_it():
    client, other = ApiClient.approved(), ApiClient.admin()
    FavouriteFactory(user=other.user)
    ImageFactory(uploaded_by=other.user)
    other.put(f"/api/admin/users/{UserFactory().pk}", {"is_approved": False})
    other.put(f"/api/admin/users/{client.user.pk}", {"username": "Asha"})
    kept = client.get(PATH).json()
    assert (kept["favourites"], kept["images"], len(kept["audit"])) == ([], [], 1)
    assert other.user.username not in json.dumps(kept)


def test_no_secret_is_in_it_and_no_cache_keeps_it():
    client = ApiClient.approved()
    client.post("/api/auth/password", {"current_password": PASSWORD, "new_password": "nine yards of silk"})
    response = client.get(PATH)
    stored = User.objects.get(pk=client.user.pk)
    text = response.content.decode()
    for secret in (stored.password, client.tokens.sign_in.refresh_id, client.token):
        assert secret not in text
    assert response.headers["Cache-Control"] == "no-store"


def test_strangers_are_asked_to_sign_in():
    refused(ApiClient().get(PATH), 401, "not_authenticated")


@pytest.mark.skipif(not replica.is_used(), reason="only D1 with its replica (TEST_ENGINE=d1)")
@pytest.mark.django_db(transaction=True)
def test_it_is_one_round_trip():
    client = ApiClient.approved()
    FavouriteFactory(user=client.user)
    client.get("/api/auth/me")
    before = connection.round_trips
    assert client.get(PATH).json()["favourites"]
    assert connection.round_trips == before + 1


def test_titles_of_designs_that_users_may_not_see_are_left_out():
    client = ApiClient.approved()
    shown = FavouriteFactory(user=client.user, design__title="Shown").design
    for status in ("draft", "archived", "deleted"):
        FavouriteFactory(user=client.user, design__title="Hidden", design__status=status)
    found = client.get(PATH).json()["favourites"]
    assert [favourite["title"] for favourite in found] == ["Shown", None, None, None]
    assert found[0]["design_id"] == shown.pk
