"""Two members of staff on one design, on one person, in one list: nobody's work is undone unseen."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import EDITOR, sign_in
from tests.browser.looks import axe_check, fits, shoot

pytestmark = pytest.mark.browser


@pytest.fixture
def design(gallery):
    (newest,) = gallery.client(**gallery.admin).get("/api/designs", params={"per_page": 1}).json()["items"]
    return newest


@pytest.fixture
def colleague(gallery):
    """The API as another admin uses it."""
    api = gallery.client(**gallery.admin)
    (user,) = api.get("/api/admin/users", params={"search": EDITOR["username"]}).json()["items"]
    assert api.put(f"/api/admin/users/{user['id']}", json={"is_admin": True}).status_code == 200
    return gallery.client(**EDITOR)


def open_design(page, gallery, design):
    page.goto(f"{gallery.address}/admin/designs/design/{design['id']}/change/")
    expect(page.get_by_label("Title")).to_have_value(design["title"])


def read(gallery, design):
    return gallery.client(**gallery.admin).get(f"/api/designs/{design['id']}").json()


def save(page):
    page.get_by_role("button", name="Save", exact=True).click()


class TestADesign:
    def test_in_two_tabs_keeps_what_each_changed(self, admin, gallery, browser, design):
        with browser.new_context() as context:
            other = context.new_page()
            sign_in(other, gallery, **EDITOR)
            open_design(admin, gallery, design)
            open_design(other, gallery, design)
            admin.get_by_label("Occasion").fill("Garba night")
            save(admin)
            expect(admin.get_by_text("was changed successfully")).to_be_visible()
            other.get_by_label("Description").fill("Two lines\nof cotton")
            save(other)
            expect(other.get_by_text("was changed successfully")).to_be_visible()
        found = read(gallery, design)
        assert found["occasion"] == "Garba night"
        assert found["description"].split() == ["Two", "lines", "of", "cotton"]

    def test_archived_by_a_colleague_is_not_published_by_a_stale_tab(self, admin, gallery, colleague, design):
        open_design(admin, gallery, design)
        path = f"/api/designs/{design['id']}"
        assert colleague.put(path, json={"status": "archived"}).status_code == 200
        admin.get_by_label("Title").fill("Six yards of rain")
        save(admin)
        expect(admin.get_by_text("was changed successfully")).to_be_visible()
        found = read(gallery, design)
        assert (found["status"], found["title"]) == ("archived", "Six yards of rain")

    def test_changed_by_both_shows_both_values_and_the_keyboard_alone_chooses(
        self, admin, gallery, colleague, design
    ):
        open_design(admin, gallery, design)
        path = f"/api/designs/{design['id']}"
        assert colleague.put(path, json={"title": "Theirs", "season": "Winter"}).status_code == 200
        admin.get_by_label("Title").fill("Mine")
        admin.keyboard.press("Control+s")
        question = admin.get_by_role("radiogroup")
        expect(question).to_contain_text(f"{EDITOR['username']} changed this on")
        expect(question).to_contain_text(re.compile("Theirs.*Mine", re.DOTALL))
        expect(admin.get_by_label("Season")).to_have_value("Winter")
        shoot(admin, "conflict-desktop")
        axe_check(admin)
        admin.set_viewport_size({"width": 390, "height": 844})
        fits(admin)
        shoot(admin, "conflict-phone")
        admin.set_viewport_size({"width": 1280, "height": 800})
        assert read(gallery, design)["title"] == "Theirs"
        question.get_by_role("radio").first.focus()
        admin.keyboard.press("ArrowDown")
        expect(question.get_by_label("Keep yours")).to_be_checked()
        admin.keyboard.press("Control+s")
        expect(admin.get_by_text("was changed successfully")).to_be_visible()
        found = read(gallery, design)
        assert (found["title"], found["season"]) == ("Mine", "Winter")

    def test_changed_in_a_stale_list_is_said_and_shown_as_it_is(self, admin, gallery, colleague, design):
        page = admin.context.new_page()  # what the server refuses is an error on the console, rightly
        page.goto(f"{gallery.address}/admin/designs/design/")
        status = page.locator("#result_list .data-row").first.get_by_role("combobox")
        path = f"/api/designs/{design['id']}"
        assert colleague.put(path, json={"status": "archived"}).status_code == 200
        status.select_option("draft")
        expect(page.locator("#gallery-said")).to_contain_text("The status is now: Archived.")
        expect(status).to_have_value("archived")
        assert read(gallery, design)["status"] == "archived"
        status.select_option("draft")
        expect(page.locator("#gallery-said")).to_contain_text("Saved")
        assert read(gallery, design)["status"] == "draft"

    def test_in_an_action_of_a_stale_list_is_asked_about(self, admin, gallery, colleague, design):
        path = f"/api/designs/{design['id']}"
        assert colleague.put(path, json={"status": "draft"}).status_code == 200
        admin.goto(f"{gallery.address}/admin/designs/design/")
        assert colleague.put(path, json={"status": "archived"}).status_code == 200
        admin.locator("#action-toggle").check()
        admin.get_by_label("Select action to run").select_option("publish")
        admin.get_by_role("button", name="Run").click()
        question = admin.get_by_role("alert")
        expect(question).to_contain_text(f"{design['title']} – status: Archived ({EDITOR['username']}")
        shoot(admin, "stale-list")
        axe_check(admin)
        admin.get_by_role("button", name="Leave it out").click()
        expect(admin.get_by_text("Designs changed: 0.")).to_be_visible()
        assert read(gallery, design)["status"] == "archived"


class TestAPerson:
    def test_demoted_by_a_colleague_is_not_admin_again(self, admin, gallery, colleague):
        users = colleague.get("/api/admin/users", params={"state": "approved"}).json()["items"]
        user = next(user for user in users if not user["is_admin"])
        path = f"/api/admin/users/{user['id']}"
        assert colleague.put(path, json={"is_admin": True}).status_code == 200
        admin.goto(f"{gallery.address}/admin/accounts/user/{user['id']}/change/")
        expect(admin.get_by_label("Admin")).to_be_checked()
        assert colleague.put(path, json={"is_admin": False}).status_code == 200
        admin.get_by_label("Full name").fill("Meera Devi")
        save(admin)
        expect(admin.get_by_text("was changed successfully")).to_be_visible()
        found = colleague.get(path).json()
        found = found.get("user", found)
        assert (found["is_admin"], found["full_name"]) == (False, "Meera Devi")
