"""The totals that triggers keep are those that counting the rows would give, whatever happens to the rows."""

import datetime
from collections import Counter

import pytest
from django.utils import timezone

from designs import totals
from designs.counters import write_counts
from designs.fields import LIVE, Status
from designs.models import DailyCount, DayTotal, Design, Favourite, ValueTotal
from tests.factories.designs import DailyCountFactory, DesignFactory, FavouriteFactory
from tests.factories.uploads import ImageFactory
from uploads.models import Image, ImageTotal

pytestmark = pytest.mark.django_db

TODAY = timezone.now().date()
YESTERDAY = TODAY - datetime.timedelta(days=1)


def kept_days():
    return {
        row.day: (row.views, row.likes, row.designs)
        for row in DayTotal.objects.all()
        if row.views or row.likes or row.designs
    }


def counted_days():
    kept = Design.objects.filter(LIVE)
    views = Counter()
    for count in DailyCount.objects.filter(design__in=kept):
        views[count.day] += count.views
    likes = Counter(like.created_at.date() for like in Favourite.objects.filter(design__in=kept))
    designs = Counter(design.created_at.date() for design in kept)
    days = {*views, *likes, *designs}
    return {day: (views[day], likes[day], designs[day]) for day in days}


def kept_values():
    return {(row.field, row.value, row.status): row.count for row in ValueTotal.objects.filter(count__gt=0)}


def counted_values():
    found = Counter()
    for design in Design.objects.all():
        found[totals.ALL, totals.ALL, design.status] += 1
        for name in totals.ATTRIBUTES:
            if value := getattr(design, name):
                found[name, value, design.status] += 1
    return dict(found)


def yesterday():
    return timezone.now() - datetime.timedelta(days=1)


def test_they_follow_designs_likes_and_views_through_their_lives():
    design = DesignFactory(category="Saree", style="Bridal", occasion="Wedding")
    DesignFactory(category="Saree", status=Status.DRAFT)
    doomed = DesignFactory(category="Dupatta", style="Folk")
    FavouriteFactory(design=doomed)
    like = FavouriteFactory(design=design)
    DailyCountFactory(design=doomed, day=TODAY, views=5)
    DailyCountFactory(design=design, day=TODAY, views=3)
    assert kept_days() == counted_days() == {TODAY: (8, 2, 3)}

    Design.objects.filter(pk=design.pk).update(style="Temple", status=Status.ARCHIVED, created_at=yesterday())
    Favourite.objects.filter(pk=like.pk).update(created_at=yesterday())
    write_counts(Counter({(TODAY.isoformat(), design.pk): 7, (YESTERDAY.isoformat(), design.pk): 2}))
    doomed.delete()

    assert kept_days() == counted_days() == {TODAY: (10, 0, 1), YESTERDAY: (2, 1, 1)}
    assert kept_values() == counted_values()
    assert ("style", "Temple", "archived") in kept_values()


def test_the_trash_counts_on_no_day_and_under_its_own_status():
    design = FavouriteFactory(design__category="Saree").design
    FavouriteFactory(design=design, created_at=yesterday())
    DailyCountFactory(design=design, day=TODAY, views=3)
    DailyCountFactory(design=design, day=YESTERDAY, views=2)
    DesignFactory(status=Status.DELETED)
    row = Design.objects.filter(pk=design.pk)
    before = {TODAY: (3, 1, 1), YESTERDAY: (2, 1, 0)}
    assert kept_days() == counted_days() == before

    row.update(status=Status.DELETED)
    assert kept_days() == counted_days() == {}
    assert kept_values() == counted_values()
    assert kept_values()["category", "Saree", "deleted"] == 2

    row.update(created_at=yesterday())
    Favourite.objects.filter(design=design).update(created_at=yesterday())
    FavouriteFactory(design=design)
    DailyCount.objects.get(day=YESTERDAY).delete()
    write_counts(Counter({(TODAY.isoformat(), design.pk): 4}))
    assert kept_days() == counted_days() == {}

    long_ago = timezone.now() - datetime.timedelta(days=400)
    row.update(status=Status.DRAFT, created_at=long_ago)
    assert (
        kept_days() == counted_days() == {TODAY: (7, 1, 0), YESTERDAY: (0, 2, 0), long_ago.date(): (0, 0, 1)}
    )

    row.update(status=Status.DELETED, created_at=timezone.now())
    Design.objects.all().delete()
    assert kept_days() == counted_days() == {}
    assert kept_values() == {}


def test_a_like_that_is_there_already_is_not_counted_again():
    like = FavouriteFactory()
    Favourite.objects.bulk_create([Favourite(user=like.user, design=like.design)], ignore_conflicts=True)
    Favourite.objects.bulk_create([Favourite(user=like.user, design=DesignFactory())], ignore_conflicts=True)
    assert kept_days()[TODAY] == counted_days()[TODAY] == (0, 2, 2)


def test_spellings_that_differ_in_case_alone_count_as_one():
    DesignFactory(style="Bridal")
    DesignFactory(style="bridal")
    assert kept_values()["style", "Bridal", "published"] == 2


def test_the_region_is_that_of_the_tradition_in_the_title():
    for title in ("Paithani Saree", "kanjivaram kattam in red", "A Series of Eris", "Saree"):
        DesignFactory(title=title)
    moved = DesignFactory(title="Patan Patola")
    Design.objects.filter(pk=moved.pk).update(title="Ajrakh Dupatta")
    regions = {value: count for (field, value, _), count in kept_values().items() if field == totals.REGION}
    assert regions == {"Maharashtra": 1, "Tamil Nadu": 1, "Gujarat": 1}


def test_images_are_counted_with_their_bytes():
    kept, doomed = ImageFactory(size=1000), ImageFactory(size=500)
    doomed.delete()
    Image.objects.filter(pk=kept.pk).update(size=1200)
    total = ImageTotal.objects.get(category=kept.category)
    assert (total.images, total.bytes) == (1, 1200)
