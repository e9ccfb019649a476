"""dumpdata and loaddata end with the counters that the rows have, also where they are loaded again."""

import io

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.models import SignIn, User
from core.checks import differences
from designs.fields import Status
from designs.models import CatalogueVersion, DailyCount, DayTotal, Design, Favourite, ValueTotal
from tests.factories.accounts import SignInFactory, UserFactory
from tests.factories.designs import DailyCountFactory, DesignFactory, FavouriteFactory
from uploads.models import ImageTotal

pytestmark = pytest.mark.django_db(transaction=True)


def likes():
    return dict(Design.objects.using("default").values_list("pk", "like_count"))


def kept():
    return {
        "days": set(
            DayTotal.objects.using("default")
            .exclude(views=0, likes=0, designs=0)
            .values_list("day", "views", "likes", "designs")
        ),
        "values": set(
            ValueTotal.objects.using("default")
            .filter(count__gt=0)
            .values_list("field", "value", "status", "count")
        ),
        "images": set(ImageTotal.objects.using("default").values_list("category", "images", "bytes")),
        "logins": set(User.objects.using("default").values_list("pk", "last_login")),
        "likes": likes(),
    }


@pytest.fixture
def dumped(db_of_commits, tmp_path):
    """A fixture of a small gallery."""
    users = [UserFactory() for _ in range(3)]
    designs = [
        DesignFactory(title="Banarasi silk", style="Bridal"),
        DesignFactory(title="Ikat", occasion="Wedding", status=Status.DRAFT),
        DesignFactory(status=Status.DELETED, trashed_status=Status.DRAFT, deleted_at="2026-11-28T10:00:00Z"),
    ]
    for design in designs:
        for user in users:
            FavouriteFactory(user=user, design=design)
    DailyCountFactory(design=designs[0], day="2026-11-01", views=7)
    for user in users:
        SignInFactory(user=user, ended_at="2026-11-02T10:00:00Z")
        User.objects.filter(pk=user.pk).update(last_login="2026-11-29T10:00:00Z")
    path = tmp_path / "all.json"
    call_command("dumpdata", output=str(path))
    return path


def test_loading_all_again_counts_nothing_twice(dumped):
    before = kept()
    call_command("loaddata", str(dumped), stdout=io.StringIO())
    assert kept() == before
    assert set(likes().values()) == {3}
    assert list(differences("default")) == []


def test_rows_that_were_lost_come_back_with_their_counters(dumped):
    before, version = kept(), CatalogueVersion.objects.using("default").get()
    Favourite.objects.all().delete()
    SignIn.objects.all().delete()
    DailyCount.objects.all().delete()
    Design.objects.all().delete()
    call_command("loaddata", str(dumped), stdout=io.StringIO())
    assert kept() == before
    after = CatalogueVersion.objects.using("default").get()
    assert (after.listing, after.content) != (version.listing, version.content)
    with connection.cursor() as cursor:
        cursor.execute("SELECT rowid FROM designs_search WHERE designs_search MATCH 'banarasi'")
        assert cursor.fetchall() == [(Design.objects.using("default").get(title="Banarasi silk").pk,)]


def test_a_fixture_that_fails_leaves_the_triggers(dumped, tmp_path):
    (tmp_path / "bad.json").write_text('[{"model": "designs.favourite", "pk": 1, "fields": {"user": 999}}]')
    with pytest.raises(Exception, match=r"bad\.json"):
        call_command("loaddata", str(tmp_path / "bad.json"))
    assert list(differences("default")) == []
