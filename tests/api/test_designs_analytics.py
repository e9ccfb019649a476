"""GET /api/admin/analytics: the gallery's figures."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from tests.api.client import ApiClient, refused
from tests.factories.accounts import UserFactory
from tests.factories.designs import DailyCountFactory, DesignFactory, FavouriteFactory

pytestmark = pytest.mark.django_db

ANALYTICS = "/api/admin/analytics"


def test_an_empty_gallery_has_zeros_for_every_day():
    admin = ApiClient.admin()
    body = admin.get(ANALYTICS).json()
    assert body["users"] == {"total": 1, "approved": 1, "pending": 0, "rejected": 0, "admins": 1}
    assert (body["designs"]["total"], body["designs"]["by_category"]) == (0, [])
    assert body["engagement"] == {"views": 0, "likes": 0, "favorites": 0}
    assert body["top_designs"] == {"by_views": [], "by_likes": []}
    today = timezone.now().date()
    assert [entry["date"] for entry in body["series"]] == [
        (today - timedelta(days=ago)).isoformat() for ago in range(29, -1, -1)
    ]
    assert body["series"][-1] == {
        "date": today.isoformat(), "signups": 1, "designs": 0, "favorites": 0, "views": 0,
    }  # fmt: skip


def test_everything_is_counted_where_it_belongs():
    admin = ApiClient.admin()
    UserFactory(pending=True)
    UserFactory(rejected=True)
    seen = DesignFactory(title="seen", view_count=9, featured=True, fabric="Silk")
    liked = FavouriteFactory(design__title="liked", design__status="published", user=admin.user).design
    DesignFactory(status="draft", view_count=99)
    DesignFactory(status="archived")
    DailyCountFactory(design=seen, day=timezone.now().date(), views=4)
    DailyCountFactory(design=liked, day=timezone.now().date(), views=1)
    DailyCountFactory(design=seen, day=timezone.now().date() - timedelta(days=1), views=2)

    body = admin.get(ANALYTICS, days=2).json()

    assert body["users"] == {"total": 3, "approved": 1, "pending": 1, "rejected": 1, "admins": 1}
    designs = body["designs"]
    assert {name: designs[name] for name in ("total", "published", "draft", "archived", "featured")} == {
        "total": 4, "published": 2, "draft": 1, "archived": 1, "featured": 1,
    }  # fmt: skip
    assert designs["by_category"] == [{"value": "Saree", "count": 4}]
    assert designs["by_fabric"] == [{"value": "Silk", "count": 1}]
    assert {"by_style", "by_colour", "by_occasion", "by_season"} <= designs.keys()
    assert {"by_designer_name", "by_collection_name"} <= designs.keys()
    assert body["engagement"] == {"views": 108, "likes": 1, "favorites": 1}
    assert body["top_designs"]["by_views"][0] == {
        "id": seen.pk,
        "title": "seen",
        "image_url": f"http://testserver/media/{seen.image_id}",
        "view_count": 9,
        "like_count": 0,
    }
    assert [entry["title"] for entry in body["top_designs"]["by_likes"]] == ["liked", "seen"]
    yesterday, today = body["series"]
    assert (yesterday["views"], yesterday["signups"]) == (2, 0)
    assert (today["views"], today["signups"], today["designs"], today["favorites"]) == (5, 3, 4, 1)


def test_a_day_ends_at_midnight_in_utc():
    today = timezone.now().date()
    midnight = datetime(today.year, today.month, today.day, tzinfo=UTC)
    DesignFactory(created_at=midnight)
    DesignFactory(created_at=midnight - timedelta(microseconds=1))
    series = ApiClient.admin().get(ANALYTICS, days=2).json()["series"]
    assert [entry["designs"] for entry in series] == [1, 1]


@pytest.mark.parametrize("days", ["0", "366", "x", "-1", ""])
def test_a_bad_number_of_days_is_named(days):
    assert set(refused(ApiClient.admin().get(ANALYTICS, days=days), 400, "invalid")) == {"days"}


def test_a_year_costs_no_more_queries_than_a_day(django_assert_max_num_queries):
    admin = ApiClient.admin()
    with django_assert_max_num_queries(20):
        assert len(admin.get(ANALYTICS, days=365).json()["series"]) == 365


def test_the_figures_are_for_admins():
    refused(ApiClient().get(ANALYTICS), 401, "not_authenticated")
    refused(ApiClient.approved().get(ANALYTICS), 403, "forbidden")
