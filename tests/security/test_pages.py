"""Who may open every other route of the URL configuration: the console, the system calls, the folder storage."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from accounts.models import EDITORS, SignIn, User
from core.models import AppSetting, AuditEntry
from tests.api.client import refused
from tests.api.test_writes_elsewhere import stored
from tests.factories.accounts import SignInFactory, UserFactory
from tests.factories.designs import DesignFactory, SearchCountFactory, SynonymFactory
from tests.factories.uploads import ImageFactory
from tests.security.callers import HEADERS
from tests.security.routes import pages
from uploads.keys import incoming_key, new_key

pytestmark = pytest.mark.django_db

KEY = new_key("designs", "image/jpeg")
ANYONE, STAFF, ADMIN = "anyone", "staff", "admin"
MODEL = ("", "add/", "<path:object_id>/history/", "<path:object_id>/delete/", "<path:object_id>/change/")


def of_model(name: str, who: str, *more: str) -> dict[str, str]:
    return {f"admin/{name}/{route}": who for route in (*MODEL, "<path:object_id>/", *more)}


PAGES: dict[str, str] = {
    **dict.fromkeys(("", "health", "health/live", "health/ready", "info", "metrics", "admin"), ANYONE),
    **dict.fromkeys(("media/<path:key>", "account/delete", "^api(/.*)?$"), ANYONE),
    **dict.fromkeys(("admin/login/", "admin/logout/", "admin/jsi18n/"), ANYONE),
    **dict.fromkeys(("admin/", "admin/search/", "admin/sessions/", "admin/(?P<url>.*)$"), STAFF),
    **dict.fromkeys(("admin/password_change/", "admin/password_change/done/"), STAFF),
    **dict.fromkeys(("admin/sessions/open/", "admin/sessions/<int:sign_in_id>/end/"), STAFF),
    "admin/autocomplete/": STAFF,
    "admin/r/<path:content_type_id>/<path:object_id>/": STAFF,
    "admin/^(?P<app_label>accounts|core|designs|uploads)/$": ADMIN,  # of accounts, here
    **of_model(
        "accounts/user",
        ADMIN,
        *("approvals/", "sign-ins/<int:sign_in_id>/end/"),
        *(f"<int:user_id>/{change}/" for change in ("approve", "reject", "reset-code")),
    ),
    **of_model("core/appsetting", ADMIN),
    **of_model("core/auditentry", ADMIN, "export/"),
    **of_model(
        "designs/design",
        STAFF,
        *("<int:design_id>/set/", "filters/", "figures/<slug:table>/", "upload/file/", "upload/"),
        *("<int:design_id>/versions/", "<int:design_id>/restore/", "pictures/", "trash/"),
        *("import/", "import/part/", "import/step/", "import/forget/", "import/template/<slug:kind>/"),
        *("export/", "workbook/export/"),
    ),
    **of_model("designs/synonym", STAFF, "try/", "import/", "export/"),
    **of_model("designs/searchcount", STAFF),
    **of_model("uploads/image", STAFF),
}
# These show nothing, and lead to a page that refuses.
LEADING_ON = ("/<path:object_id>/", "appsetting/<path:object_id>/change/")


def browser_of(user, change: Callable[[User], object] = lambda user: None):
    """A browser in which the user signed in, before the change."""
    browser = Client(raise_request_exception=False)
    browser.force_login(user)
    change(user)
    return browser


def set_to(**fields):
    return lambda user: User.objects.filter(pk=user.pk).update(**fields)


def signed_out(user):
    SignIn.objects.filter(user=user).delete()


OUTSIDERS = {
    "nobody": lambda: Client(raise_request_exception=False),
    "a user": lambda: browser_of(UserFactory()),
    "pending": lambda: browser_of(UserFactory(admin=True), set_to(is_approved=False, reviewed_at=None)),
    "rejected": lambda: browser_of(UserFactory(admin=True), set_to(is_approved=False)),
    "a demoted admin": lambda: browser_of(UserFactory(admin=True), set_to(is_admin=False)),
    "an editor no longer": lambda: browser_of(
        UserFactory(editor=True), lambda user: user.groups.remove(Group.objects.get(name=EDITORS))
    ),
    "signed out": lambda: browser_of(UserFactory(admin=True), signed_out),
}


@pytest.fixture
def addresses():
    """An address of each route, of something that exists where the route names something."""
    values = {
        "user_id": UserFactory().pk,
        "design_id": DesignFactory().pk,
        "sign_in_id": SignInFactory().pk,
        "table": "days",
        "kind": "xlsx",
        "key": KEY,
        "content_type_id": 1,
    }
    objects = {
        "user": values["user_id"],
        "design": values["design_id"],
        "image": ImageFactory().pk,
        "synonym": SynonymFactory().pk,
        "searchcount": SearchCountFactory().pk,
        "appsetting": AppSetting.objects.create(key="public_catalogue", value="false").pk,
        "auditentry": AuditEntry.objects.create(action="user.approve").pk,
        "<path:content_type_id>": values["design_id"],
    }

    def address(route):
        plain = route.replace("^(?P<app_label>accounts|core|designs|uploads)/$", "accounts/")
        plain = plain.replace("(?P<url>.*)$", "nowhere/").replace("^api(/.*)?$", "api/nowhere")
        values["object_id"] = objects.get("".join(route.split("/")[2:3]))
        return "/" + re.sub(r"<\w+:(\w+)>", lambda found: str(values[found[1]]), plain)

    return {route: address(route) for route in PAGES}


def opened(browser, address):
    """The answers of the page and of its form."""
    return [browser.get(address), browser.post(address)]


def test_every_page_has_its_rule():
    """Neither /docs nor /openapi.json is among them: only a server in debug mode has them."""
    assert pages() == PAGES.keys()


@pytest.mark.parametrize("kind", OUTSIDERS)
def test_outsiders_are_led_to_the_sign_in_and_change_nothing(kind, addresses):
    browser = OUTSIDERS[kind]()
    before = stored()
    for route, who in PAGES.items():
        if who == ANYONE:
            continue
        for response in opened(browser, addresses[route]):
            assert response.status_code == 302, route
            assert response.headers["Location"].startswith(reverse("admin:login")), route
    assert stored() == before


def test_editors_are_refused_what_is_for_admins(addresses):
    browser = browser_of(UserFactory(editor=True))
    before = stored()
    for route, who in PAGES.items():
        if who != ADMIN or route.endswith(LEADING_ON):
            continue
        for response in opened(browser, addresses[route]):
            assert response.status_code in (403, 404, 405), route
    assert stored() == before


def test_nobody_ends_a_session_of_another_as_their_own(addresses):
    browser = browser_of(UserFactory(editor=True))
    before = stored()
    browser.post(addresses["admin/sessions/<int:sign_in_id>/end/"])
    assert stored() == before


def test_every_answer_has_the_security_headers(addresses):
    boss = browser_of(UserFactory(admin=True))
    for browser in (Client(raise_request_exception=False), boss):
        for route, address in addresses.items():
            response = browser.get(address)
            assert response.status_code < 500, route
            for name in HEADERS:
                assert name in response.headers, (route, name)
            policy = response.headers["Content-Security-Policy"]
            assert re.search(r"default-src '(none|self)'", policy), route
            assert "frame-ancestors 'none'" in policy, route


def test_every_form_of_the_console_needs_its_token(addresses):
    browser = Client(enforce_csrf_checks=True, raise_request_exception=False)
    browser.force_login(UserFactory(admin=True))
    before = stored()
    for route in (route for route in PAGES if route.startswith("admin/") or route == "account/delete"):
        assert browser.post(addresses[route]).status_code in (403, 405), route
    assert stored() == before


def test_the_folder_takes_nothing_without_a_signed_url(folder):
    browser = Client(raise_request_exception=False)
    refused(browser.put(f"/media/{incoming_key(KEY)}", b"bytes"), 403, "forbidden")
    refused(browser.put(f"/media/{KEY}", b"bytes"), 404, "not_found")
    refused(browser.get("/media/../../etc/passwd"), 404, "not_found")
    assert not folder.listed()


def test_metrics_need_their_token(settings):
    assert Client().get("/metrics").status_code == 404
    settings.METRICS_TOKEN = "a token for the tests"
    assert Client().get("/metrics").status_code == 401
    assert Client().get("/metrics", headers={"Authorization": "Bearer another"}).status_code == 401
