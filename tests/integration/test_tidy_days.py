"""manage.py tidy: counts of old days become counts of months."""

from collections import Counter
from datetime import UTC, datetime, time, timedelta

import pytest
from django.utils import timezone

from designs import old_days
from designs.counters import write_counts
from designs.fields import Status
from designs.models import DailyCount, DayTotal, Design
from tests.api.client import ApiClient
from tests.factories.accounts import PASSWORD, UserFactory
from tests.factories.designs import DesignFactory, FavouriteFactory
from tests.integration.test_tidy import tidy
from tests.races import Meanwhile, at_once

pytestmark = pytest.mark.django_db(transaction=True)

ANALYTICS = "/api/admin/analytics"
NOW, DAY = timezone.now(), timedelta(days=1)
FIRST = old_days.first_kept_day()
# Three days of the last whole month, one of the month before, and the first day that stays.
LAST = FIRST - DAY
DAYS = (LAST, LAST - DAY, LAST.replace(day=1), LAST.replace(day=1) - DAY, FIRST, NOW.date())


@pytest.fixture
def seen():
    """Designs that were seen on each of the days, of which one is in the trash and one was liked by who left."""
    plain, trashed, liked = DesignFactory.create_batch(3)
    leaver = UserFactory()
    moment = datetime.combine(LAST, time(12), tzinfo=UTC)
    FavouriteFactory(design=plain, created_at=moment)
    FavouriteFactory(design=liked, user=leaver, created_at=moment)
    for n, day in enumerate(DAYS, 1):
        write_counts(Counter({(day.isoformat(), plain.pk): n, (day.isoformat(), trashed.pk): 10 * n}))
    write_counts(Counter({(LAST.isoformat(), liked.pk): 100}))
    ApiClient(leaver).delete("/api/auth/me", {"password": PASSWORD})
    ApiClient.admin().delete(f"/api/designs/{trashed.pk}")
    return plain, trashed, liked


def totals():
    return {
        row.day: (row.views, row.likes) for row in DayTotal.objects.order_by("day") if row.views or row.likes
    }


def sums():
    return tuple(map(sum, zip(*totals().values(), strict=True)))


def counted():
    """What counting the rows gives of live designs: by day, views and likes."""
    views, likes = Counter(), Counter()
    for row in DailyCount.objects.exclude(design__status=Status.DELETED):
        views[row.day] += row.views
        likes[row.day] += row.likes
    for design in Design.objects.exclude(status=Status.DELETED):
        likes.update(like.created_at.date() for like in design.favourites.all())
    return {day: (views[day], likes[day]) for day in {*views, *likes} if views[day] or likes[day]}


def test_counts_of_days_become_months_and_no_sum_changes(seen):
    admin = ApiClient.admin()
    before, shown, rows = (
        sums(),
        admin.get(f"{ANALYTICS}?days=365").json(),
        DailyCount.objects.count(),
    )
    assert totals() == counted()
    assert tidy("day_counts", dry_run=True) == {"day_counts": 7}
    assert DailyCount.objects.count() == rows
    assert tidy("day_counts") == {"day_counts": 7}
    months = {LAST.replace(day=1), (LAST.replace(day=1) - DAY).replace(day=1)}
    assert set(DailyCount.objects.values_list("day", flat=True)) == {*months, FIRST, NOW.date()}
    assert (sums(), admin.get(f"{ANALYTICS}?days=365").json()) == (before, shown)
    assert totals() == counted()
    assert tidy("day_counts") == {}


def test_they_come_back_and_go_with_their_design(seen):
    trashed = seen[1]
    admin = ApiClient.admin()
    tidy("day_counts")
    views, likes = sums()
    assert admin.post(f"/api/designs/{trashed.pk}/restore").status_code == 200
    assert sums() == (views + 10 * sum(range(1, 7)), likes)
    for design in seen:
        assert totals() == counted()
        admin.delete(f"/api/designs/{design.pk}?purge=true")
    assert totals() == counted() == {}


def test_in_batches_they_are_the_same(seen, monkeypatch):
    monkeypatch.setattr(old_days, "BATCH", 2)
    monkeypatch.setattr(old_days, "FIND", old_days.FIND.replace("LIMIT 1000", "LIMIT 2"))
    before = sums()
    assert tidy("day_counts") == {"day_counts": 7}
    assert sums() == before
    assert totals() == counted()


def test_two_that_fold_at_once_count_once(seen):
    before = sums()
    at_once(*[lambda: tidy("day_counts")] * 2)
    assert sums() == before
    assert totals() == counted()
    assert tidy("day_counts") == {}


def test_those_of_a_design_that_is_restored_meanwhile_count(seen, monkeypatch):
    trashed, before = seen[1], sums()
    path = f"/api/designs/{trashed.pk}/restore"
    client = ApiClient.admin()
    restore = Meanwhile(monkeypatch, "designs.old_days.has_old", lambda: client.post(path).status_code)
    tidy("day_counts")
    assert restore.answer() == 200
    assert sums()[0] == before[0] + 10 * sum(range(1, 7))
    assert totals() == counted()
