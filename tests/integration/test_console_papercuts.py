"""Small things of the console's pages: addresses that are mistyped, refusals, times, the sign-out."""

import re
from datetime import UTC, datetime

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from console.navigation import navigation
from core import audit
from core.variables.checking import check
from core.variables.reading import Environment
from tests.factories.accounts import UserFactory
from tests.factories.designs import DesignFactory

pytestmark = pytest.mark.django_db

INDEX = reverse("admin:index")
LISTS = ("designs/design", "uploads/image", "accounts/user", "core/auditentry")


@pytest.fixture
def staff():
    client = Client(raise_request_exception=False)
    client.force_login(UserFactory(username="asha", admin=True))
    return client


@pytest.fixture
def editor():
    client = Client(raise_request_exception=False)
    client.force_login(UserFactory(username="esha", editor=True))
    return client


@pytest.mark.parametrize("page", ["abc", "0", "-1", "999", "1.5", "९" * 5000, ""])
def test_a_page_of_the_search_that_does_not_exist_is_no_error(staff, page):
    answer = staff.get("/admin/search/", {"s": "des", "page": page})
    assert answer.status_code == 404


@pytest.mark.parametrize("path", [*LISTS, "accounts/user/approvals", "designs/design/trash"])
@pytest.mark.parametrize("odd", ["abc", "-1", "1.5", "9" * 30, "\0", "%"])
def test_odd_parameters_are_no_error_on_any_list(staff, path, odd):
    for name in ("p", "o", "all", "page", "q", "days", "status", "created_at_from", "_to_field", "e"):
        assert staff.get(f"{INDEX}{path}/", {name: odd}).status_code < 500, name


ENTRIES = [entry for group in navigation(HttpRequest()) for entry in group["items"]]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["title"])
def test_a_page_is_called_as_the_sidebar_calls_it(staff, entry):
    page = staff.get(entry["link"]).content.decode()
    assert re.search(rf"<title>\s*{entry['title']} \|", page)
    assert len(re.findall(rf">\s*{entry['title']}\s*<", page)) >= 2  # in the sidebar and in the head


def test_settings_and_the_audit_trail_name_no_field_as_programmers_do(staff):
    page = staff.get(reverse("admin:core_appsetting_changelist")).content.decode()
    assert "Oldest version of the app" in page
    assert " url<" not in page
    user = UserFactory()
    audit.record(None, "user.update", user, {"is_editor": (False, True), "full_name": ("Nila", "Mira")})
    page = staff.get(reverse("admin:core_auditentry_changelist")).content.decode()
    assert "full name" in page
    assert "is_editor" not in page


def test_who_may_not_open_a_page_is_told_inside_the_console(editor):
    answer = editor.get(reverse("admin:core_auditentry_changelist"))
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "You may not open this page." in page
    assert "signed in as esha, an editor" in page
    assert f'href="{INDEX}"' in page


def test_what_is_not_there_is_said_inside_the_console(staff):
    answer = staff.get(f"{INDEX}nowhere/")
    assert answer.status_code == 404
    assert "There is no such page." in answer.content.decode()
    assert "Audit" in answer.content.decode()


def test_strangers_get_a_plain_page():
    answer = Client().get("/nowhere")
    assert answer.status_code == 404
    assert "There is no such page." in answer.content.decode()
    assert "Audit" not in answer.content.decode()


def test_the_page_after_the_sign_out_says_what_happened(staff):
    page = staff.post(reverse("admin:logout")).content.decode()
    assert "You are signed out" in page
    assert "quality time" not in page


def test_times_are_those_of_the_staff_and_say_so(staff, settings):
    person = UserFactory()
    User.objects.filter(pk=person.pk).update(created_at=datetime(2026, 3, 5, 20, 0, tzinfo=UTC))
    address = reverse("admin:accounts_user_change", args=[person.pk])
    assert "6 Mar 2026, 01:30 IST" in staff.get(address).content.decode()
    settings.CONSOLE_TIME_ZONE = "UTC"
    assert "5 Mar 2026, 20:00 UTC" in staff.get(address).content.decode()


def test_the_day_of_a_design_is_that_of_the_staff(staff):
    DesignFactory(created_at=datetime(2026, 3, 5, 20, 0, tzinfo=UTC))
    assert "6 Mar 2026" in staff.get(reverse("admin:designs_design_changelist")).content.decode()


@pytest.mark.parametrize("name", ["Asia/Nowhere", "IST", "Asia", "../etc/passwd", "/etc/localtime"])
def test_a_time_zone_that_does_not_exist_stops_the_start(name):
    with pytest.raises(ImproperlyConfigured, match=r"^CONSOLE_TIME_ZONE is .* like Asia/Kolkata"):
        check(Environment({"CONSOLE_TIME_ZONE": name}))


def test_the_trail_of_a_page_names_its_list_once(staff):
    design = DesignFactory(title="Kanjivaram")
    page = staff.get(reverse("admin:designs_design_change", args=[design.pk])).content.decode()
    trail = page[page.index("gallery-trail") :].partition("</h1>")[0]
    assert trail.count("Designs") == 1
    assert "Kanjivaram" in trail


@pytest.mark.parametrize("path", LISTS)
def test_no_list_offers_to_show_all(staff, path):
    page = staff.get(f"{INDEX}{path}/").content.decode()
    assert "Show all" not in page
