"""The dashboard: cards compared with the period before, tables as CSV, what an editor sees."""

import csv
import datetime
import io

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from core import replica
from d1backend.replica import on_primary
from designs.fields import Status
from designs.models import Design
from tests.factories.accounts import UserFactory
from tests.factories.designs import DailyCountFactory, DesignFactory, FavouriteFactory

INDEX = reverse("admin:index")
TODAY = timezone.now().date()


def client_of(**traits):
    client = Client()
    client.force_login(UserFactory(**traits))
    return client


@pytest.fixture
def staff():
    return client_of(admin=True)


def ago(days):
    return TODAY - datetime.timedelta(days=days)


def cards_of(client, days=30):
    return {card.title: card for card in client.get(INDEX, {"days": days}).context["cards"]}


def figures_of(client, days):
    """{title: (number, the period's, that of the period before)} of the cards that compare periods."""
    cards = cards_of(client, days).values()
    return {card.title: (card.number, card.now, card.before) for card in cards if hasattr(card, "before")}


def rows_of(client, table, **query):
    response = client.get(reverse("admin:designs_figures", args=[table]), query)
    assert response["Content-Type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(response.getvalue().decode("utf-8-sig"))))


@pytest.mark.django_db
def test_each_card_compares_the_period_with_the_one_before(staff):
    design = DesignFactory()
    DesignFactory(status=Status.DRAFT)
    for days, views in ((0, 5), (6, 2), (7, 30), (13, 1), (14, 100)):
        DailyCountFactory(design=design, day=ago(days), views=views)
    FavouriteFactory(design=design)
    found = figures_of(staff, 7)
    assert found["Views"] == (7, 7, 31)
    assert found["Likes"] == (1, 1, 0)
    assert found["Designs"] == (2, 2, 0)
    assert found["Sign-ups"][1] == 2  # who looks, and who likes
    assert figures_of(staff, 30)["Views"] == (138, 138, 0)
    assert figures_of(staff, "everything") == figures_of(staff, 30)


@pytest.mark.django_db
def test_the_longest_wait_is_shown(staff):
    for hours in (3, 50):
        user = UserFactory(pending=True)
        type(user).objects.filter(pk=user.pk).update(
            created_at=timezone.now() - datetime.timedelta(hours=hours, minutes=1)
        )
    page = staff.get(INDEX)
    assert cards_of(staff)["Waiting"].number == 2
    assert "longest: 2\xa0days, 2\xa0hours" in page.content.decode()


@pytest.mark.django_db
def test_breakdowns_count_what_is_published(staff):
    DesignFactory(title="Paithani Saree", category="Saree", style="Bridal")
    DesignFactory(category="Saree", style="Folk", status=Status.DRAFT)
    assert rows_of(staff, "category") == [["category", "designs"], ["Saree", "1"]]
    assert rows_of(staff, "style") == [["style", "designs"], ["Bridal", "1"]]
    assert rows_of(staff, "region") == [["region", "designs"], ["Maharashtra", "1"]]


@pytest.mark.django_db
def test_each_table_is_a_csv_file(staff):
    design = DesignFactory(title="=1+1")
    Design.objects.filter(pk=design.pk).update(view_count=7, like_count=3)
    DailyCountFactory(design=design, day=TODAY, views=7)
    days = rows_of(staff, "days", days=7)
    assert days[0] == ["day", "views", "likes", "designs", "signups"]
    assert len(days) == 8
    assert days[-1] == [TODAY.isoformat(), "7", "0", "1", "1"]
    assert rows_of(staff, "viewed")[1] == [str(design.pk), "'=1+1", "7", "3"]
    assert rows_of(staff, "storage")[1][:2] == ["designs", "1"]
    assert staff.get(reverse("admin:designs_figures", args=["secrets"])).status_code == 404


@pytest.mark.django_db
def test_an_editor_sees_designs_and_nothing_of_people():
    editor = client_of(editor=True)
    page = editor.get(INDEX)
    assert set(figures_of(editor, 30)) == {"Designs", "Views", "Likes"}
    assert not {"Waiting", "Sign-ups"} & set(cards_of(editor))
    for word in ("Sign-ups", "Waiting", "Approvals"):
        assert word not in page.content.decode()
    assert rows_of(editor, "days")[0] == ["day", "views", "likes", "designs"]


@pytest.mark.django_db
def test_nobody_else_sees_anything():
    unapproved = client_of(admin=True)
    User.objects.update(is_approved=False)
    for client in (Client(), client_of(), unapproved):
        for address in (INDEX, reverse("admin:designs_figures", args=["days"])):
            assert client.get(address).status_code == 302


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(not hasattr(connection, "round_trips"), reason="only D1 (TEST_ENGINE=d1)")
@pytest.mark.parametrize("traits", [{"admin": True}, {"editor": True}])
def test_it_costs_at_most_three_round_trips_without_a_copy_and_one_with_one(traits):
    DesignFactory()
    client = client_of(**traits)
    assert client.get(INDEX).status_code == 200  # the copy, where there is one, is fresh now

    def cost():
        before = connection.round_trips
        assert client.get(INDEX).status_code == 200
        return connection.round_trips - before

    assert cost() <= (1 if replica.is_used() else 3)
    with on_primary():
        assert cost() <= 3
