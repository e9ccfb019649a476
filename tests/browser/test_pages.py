"""Every page of the console, and the one that deletes an account, on each screen and in each theme.

Each fits, and axe-core has nothing grave to say.
"""

import pytest

from tests.browser.conftest import EDITOR, sign_in
from tests.browser.looks import SCREENS, THEMES
from tests.browser.looks import look as look_at

pytestmark = pytest.mark.browser

TALLEST = 5000  # pixels of a page on a phone

PAGES = {
    "dashboard": "/admin/",
    "approvals": "/admin/accounts/user/approvals/",
    "designs": "/admin/designs/design/",
    "design": "/admin/designs/design/{design}/change/",
    "design-history": "/admin/designs/design/{design}/history/",
    "new-design": "/admin/designs/design/add/",
    "delete-design": "/admin/designs/design/{design}/delete/",
    "deleted-design": "/admin/designs/design/{deleted}/change/",
    "trash": "/admin/designs/design/trash/",
    "upload": "/admin/designs/design/upload/",
    "import": "/admin/designs/design/import/",
    "synonyms": "/admin/designs/synonym/",
    "new-synonym": "/admin/designs/synonym/add/",
    "synonym": "/admin/designs/synonym/1/change/",
    "delete-synonym": "/admin/designs/synonym/1/delete/",
    "synonyms-import": "/admin/designs/synonym/import/",
    "try-a-search": "/admin/designs/synonym/try/?text=lal+saree",
    "searches": "/admin/designs/searchcount/",
    "images": "/admin/uploads/image/",
    "image": "/admin/uploads/image/{image}/change/",
    "new-image": "/admin/uploads/image/add/",
    "people": "/admin/accounts/user/",
    "person": "/admin/accounts/user/{person}/change/",
    "delete-person": "/admin/accounts/user/{person}/delete/",
    "new-person": "/admin/accounts/user/add/",
    "reject": "/admin/accounts/user/{person}/reject/",
    "settings": "/admin/core/appsetting/",
    "audit": "/admin/core/auditentry/",
    "own-password": "/admin/password_change/",
    "own-sessions": "/admin/sessions/",
    "delete-account": "/account/delete",
}
MISSED = (
    "from designs.models import SearchCount; from designs.search_counts import this_week; "
    "SearchCount.objects.bulk_create(SearchCount(week=this_week(), phrase=f'kanchipuram silk {n}', count=n + 3, "
    "found=n % 4) for n in range(60))"
)
LOOKS = [pytest.param((screen, theme), id=f"{screen}-{theme}") for screen in SCREENS for theme in THEMES]


@pytest.fixture(scope="session")
def cookies(shown, browser):
    """Those of an admin who has signed in."""
    with browser.new_context() as context:
        sign_in(context.new_page(), shown, **shown.admin)
        return context.storage_state()


@pytest.fixture
def editor_cookies(shown, browser):
    """Those of an editor who has signed in."""
    with browser.new_context() as context:
        sign_in(context.new_page(), shown, **EDITOR)
        return context.cookies()


@pytest.fixture(scope="session")
def ids(shown):
    """Of the newest design, of one in the trash, of an image, and of somebody who waits for approval."""
    shown.manage("shell", "-c", MISSED)
    api = shown.client(**shown.admin)
    design, deleted = api.get("/api/designs?per_page=2").json()["items"]
    for number in range(3):
        changed = {"title": f"{design['title']} {number}", "description": "Woven by hand. " * (number + 1)}
        api.put(f"/api/designs/{design['id']}", json=changed).raise_for_status()
    api.delete(f"/api/designs/{deleted['id']}").raise_for_status()
    person = api.get("/api/admin/users?state=pending").json()["items"][0]
    return {"design": design["id"], "deleted": deleted["id"], "image": 1, "person": person["id"]}


@pytest.fixture(params=LOOKS)
def look(request):
    return request.param


@pytest.fixture
def browser_context_args(browser_context_args, look, cookies):
    screen, theme = look
    width, height = SCREENS[screen]
    return {
        **browser_context_args,
        "viewport": {"width": width, "height": height},
        "color_scheme": theme,
        "storage_state": cookies,
    }


def hold(page, look, name):
    page.wait_for_load_state("networkidle")
    look_at(page, "-".join([name, *look]))
    if look[0] == "phone":
        assert page.evaluate("document.documentElement.scrollHeight") <= TALLEST


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_its_screen_and_is_accessible(page, shown, ids, look, name):
    address = shown.address + PAGES[name].format(**ids)
    assert page.goto(address).status == 200
    assert page.url == address
    hold(page, look, name)


def test_the_page_for_what_is_not_allowed_too(page, shown, look, editor_cookies):
    page.context.clear_cookies()
    page.context.add_cookies(editor_cookies)
    other = page.context.new_page()  # in which a 403 is no complaint
    assert other.goto(f"{shown.address}/admin/core/auditentry/").status == 403
    hold(other, look, "not-allowed")


def test_the_page_before_a_purge_too(page, shown, ids, look):
    page.goto(f"{shown.address}/admin/designs/design/{ids['deleted']}/change/")
    page.get_by_role("button", name="Delete for good…").click()
    page.get_by_role("heading", name="for good?").wait_for()
    hold(page, look, "purge")


def test_the_page_after_the_sign_out_too(page, shown, look, editor_cookies):
    page.context.clear_cookies()
    page.context.add_cookies(editor_cookies)
    page.goto(f"{shown.address}/admin/")
    page.locator("form[action$='/logout/']").evaluate("form => form.submit()")
    page.get_by_text("You are signed out").wait_for()
    hold(page, look, "signed-out")


def test_the_sign_in_page_too(page, shown, look):
    page.context.clear_cookies()
    page.goto(f"{shown.address}/admin/")
    hold(page, look, "sign-in")
