""" "Save and next" leads through the list that its reader came from."""

from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

from designs.models import Design
from tests.factories.accounts import UserFactory
from tests.factories.designs import DesignFactory
from tests.pages import fields_of

pytestmark = pytest.mark.django_db

LIST = reverse("admin:designs_design_changelist")


@pytest.fixture
def staff():
    client = Client()
    client.force_login(UserFactory(username="asha", admin=True))
    return client


def walk(staff, address, button, form, **changed):
    """Save and go on until the list is over; the addresses of the pages, the list's last."""
    addresses = [address]
    while "/change/" in addresses[-1] and len(addresses) < 9:
        page = staff.get(addresses[-1])
        assert f'name="{button}"' in page.content.decode()
        addresses.append(staff.post(addresses[-1], {**fields_of(page, form), **changed, button: "1"}).url)
    return addresses


def walk_designs(staff, first, query, **changed):
    filters = urlencode({"_changelist_filters": query})
    path = reverse("admin:designs_design_change", args=[first.pk])
    addresses = walk(staff, f"{path}?{filters}", "designs_design_save_and_next", "design_form", **changed)
    return [int(address.split("/")[4]) for address in addresses[:-1]], addresses[-1]


def test_leads_through_the_list_with_its_filter_even_if_saving_leaves_it(staff):
    drafts = DesignFactory.create_batch(3, status="draft")
    DesignFactory.create_batch(2)
    newest_first = [design.pk for design in reversed(drafts)]
    seen, end = walk_designs(staff, drafts[-1], "status=draft", status="published")
    assert seen == newest_first
    assert end == f"{LIST}?status=draft"
    assert not Design.objects.filter(status="draft").exists()


@pytest.mark.parametrize(
    ("order", "field", "values"),
    [
        ("1", "title", ["A", "b", "C", "d"]),
        ("-1", "title", ["d", "C", "b", "A"]),
        ("4.-0", "like_count", [0, 0, 3, 3]),
        ("-3", "featured", [True, True, False, False]),
    ],
)
def test_keeps_the_order_and_the_search_of_the_list(staff, order, field, values):
    for value in sorted(values, key=str):
        DesignFactory(**{"title": "Peacock", field: value}, description="peacock")
    DesignFactory(title="Other")
    query = f"o={order}&q=peacock"
    shown = [design.pk for design in staff.get(f"{LIST}?{query}").context["cl"].result_list]
    assert len(shown) == 4
    seen, _ = walk_designs(staff, Design.objects.get(pk=shown[0]), query, season="Winter")
    assert seen == shown


@pytest.mark.parametrize("query", ["", "status=no-such", "o=99", "e=1", "x__y=1"])
def test_survives_any_address(staff, query):
    first, second = DesignFactory.create_batch(2)
    seen, end = walk_designs(staff, second, query)
    assert seen in ([second.pk, first.pk], [second.pk])
    assert end.startswith(LIST)


def test_says_when_the_list_is_over(staff):
    _, end = walk_designs(staff, DesignFactory(), "")
    assert "That was the last of the list." in staff.get(end).content.decode()


def test_leads_through_people_too_also_those_without_a_name(staff):
    UserFactory.create_batch(3)
    UserFactory(full_name="Meera Devi")
    for order in ("o=2", "o=-2"):
        path = reverse("admin:accounts_user_changelist")
        shown = [user.pk for user in staff.get(f"{path}?{order}").context["cl"].result_list]
        first = reverse("admin:accounts_user_change", args=[shown[0]])
        address = f"{first}?{urlencode({'_changelist_filters': order})}"
        addresses = walk(staff, address, "accounts_user_save_and_next", "user_form")
        assert [int(address.split("/")[4]) for address in addresses[:-1]] == shown
