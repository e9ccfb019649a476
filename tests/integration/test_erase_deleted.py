"""manage.py tidy --only deleted_accounts: whoever left is deleted again after a restore of the database."""

import io
import logging

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts import deleted_ids
from accounts.models import User
from core.models import AuditEntry
from designs.models import Favourite
from tests.api.client import ApiClient
from tests.factories.accounts import PASSWORD, SignInFactory, UserFactory
from tests.factories.designs import FavouriteFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("deletions")]

STORES = ["folder", "bucket"]


def use(settings, storage):
    settings.STORAGES = {**settings.STORAGES, "deletions": storage}


@pytest.fixture
def bucket(bucket_store):
    yield bucket_store
    bucket_store.empty()


def bucket_of(store, endpoint=None):
    options = {
        "access_key": store.server["access_key"],
        "secret_key": store.server["secret_key"],
        "bucket_name": store.bucket,
        "endpoint_url": endpoint or store.server["endpoint"],
    }
    return {"BACKEND": "core.r2.DeletionsBucket", "OPTIONS": options}


def erase_deleted(**options):
    """How many accounts the command deletes again and how many ids it keeps, and all that it says."""
    said = io.StringIO()
    call_command("tidy", only="deleted_accounts", verbosity=2, stdout=said, **options)
    text = said.getvalue()
    counted = counts(erased=int(text.split()[0]), kept=text.count("was kept in the database alone"))
    assert counted["erased"] == text.count("came back with a restore\n") - 1
    return counted, text


def counts(erased=0, kept=0):
    return {"erased": erased, "kept": kept}


def left(user):
    """Let the user leave by the API."""
    assert ApiClient(user).delete("/api/auth/me", {"password": PASSWORD}).status_code == 200
    return user


def restore(user):
    """Bring the user back as a backup from before has them: with their row, and without the line of their deletion."""
    back = User.objects.create(
        **{field.attname: getattr(user, field.attname) for field in User._meta.concrete_fields}
    )
    User.objects.filter(pk=back.pk).update(created_at=user.created_at)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_entries WHERE action = 'user.delete'")
    return back


@pytest.mark.parametrize("store", STORES)
def test_a_restored_user_is_deleted_again_with_what_is_theirs(store, settings, request):
    if store == "bucket":
        use(settings, bucket_of(request.getfixturevalue("bucket")))
    user, other = left(UserFactory(username="Asha")), UserFactory()
    restore(user)
    SignInFactory(user=user)
    FavouriteFactory(user=user)
    AuditEntry.objects.create(
        actor_id=user.pk, actor_username="Asha", action="x", object_type="user", object_id=str(user.pk),
        object_label="Asha", changes={"username": ["Asha.Rao", "Asha"]},
    )  # fmt: skip
    assert erase_deleted()[0] == counts(erased=1)
    assert list(User.objects.values_list("pk", flat=True)) == [other.pk]
    assert not Favourite.objects.exists()
    assert "Asha" not in str(list(AuditEntry.objects.values()))
    assert erase_deleted()[0] == counts()


def test_a_database_that_was_not_restored_is_left_as_it_is():
    left(UserFactory())
    UserFactory()
    before = list(User.objects.values()), list(AuditEntry.objects.values())
    assert erase_deleted()[0] == counts()
    assert (list(User.objects.values()), list(AuditEntry.objects.values())) == before


def test_whom_staff_deleted_comes_back_with_a_restore():
    admin, user = ApiClient.admin(), UserFactory()
    admin.delete(f"/api/admin/users/{user.pk}")
    restore(user)
    assert erase_deleted()[0] == counts()
    assert User.objects.filter(pk=user.pk).exists()


def test_a_newcomer_who_got_an_id_again_stays_and_the_next_ones_get_new_ones():
    gone = left(UserFactory())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE sqlite_sequence SET seq = seq - 1 WHERE name = 'users'")
    newcomer = UserFactory(pk=gone.pk) if hasattr(connection, "round_trips") else UserFactory()
    assert newcomer.pk == gone.pk
    assert erase_deleted()[0] == counts()
    assert User.objects.filter(pk=newcomer.pk).exists()


def test_an_id_is_not_given_again_after_a_restore():
    gone = left(UserFactory())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE sqlite_sequence SET seq = seq - 1 WHERE name = 'users'")
        erase_deleted()
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = 'users'")
        ((last,),) = cursor.fetchall()
    assert last >= gone.pk


def test_the_last_admin_goes_too_and_a_person_is_told():
    admin, other = UserFactory(admin=True), UserFactory(admin=True)
    left(admin)
    User.objects.filter(pk=other.pk).delete()
    restore(admin)
    numbers, said = erase_deleted()
    assert numbers == counts(erased=1)
    assert "create_admin" in said


@pytest.fixture
def away(settings, request):
    """The bucket is away: nobody listens at its address."""
    use(settings, bucket_of(request.getfixturevalue("bucket"), "http://127.0.0.1:9"))


def test_who_leaves_while_the_bucket_is_away_is_gone_and_kept_by_the_next_run(
    away, settings, caplog, bucket, capsys
):
    with caplog.at_level(logging.ERROR, "accounts.deletion"):
        user = left(UserFactory())
    assert "--only deleted_accounts" in caplog.text
    assert user.username not in caplog.text
    with pytest.raises(CommandError, match="deleted_accounts"):
        erase_deleted()
    assert "out of reach" in capsys.readouterr().err
    use(settings, bucket_of(bucket))
    assert erase_deleted()[0]["kept"] == 1
    assert user.pk in deleted_ids.all_ids()
    assert deleted_ids.deleted_at(user.pk) <= timezone.now()
    restore(user)
    assert erase_deleted()[0] == counts(erased=1)
