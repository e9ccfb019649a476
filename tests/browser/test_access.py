"""Who sees what in the console, and what it tells of who did what."""

import csv
import io

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import EDITOR
from tests.browser.looks import look

pytestmark = pytest.mark.browser

NOT_FOR_EDITORS = ["accounts/user/", "core/appsetting/", "core/auditentry/"]
AUDIT = "/admin/core/auditentry/"


class TestAnEditor:
    def test_sees_designs_and_images_and_is_refused_the_rest(self, editor, gallery):
        sidebar = editor.locator("#nav-sidebar")
        expect(sidebar.get_by_role("link", name="Designs")).to_be_visible()
        for path in NOT_FOR_EDITORS:
            expect(editor.locator(f"a[href*='{path}']")).to_have_count(0)
            assert editor.request.get(f"{gallery.address}/admin/{path}").status == 403
        editor.goto(f"{gallery.address}/admin/designs/design/")
        editor.locator("#result_list .field-title a").first.click()
        editor.get_by_role("link", name="History").click()
        expect(editor.get_by_role("heading", name="History:")).to_be_visible()

    def test_is_out_at_once_when_rejected(self, editor, gallery):
        api = gallery.client(**gallery.admin)
        (user,) = api.get("/api/admin/users", params={"search": EDITOR["username"]}).json()["items"]
        editor.goto(f"{gallery.address}/admin/designs/design/")
        assert api.post(f"/api/admin/users/{user['id']}/reject", json={}).status_code == 200
        editor.reload()
        expect(editor.get_by_label("Password")).to_be_visible()
        assert api.post(f"/api/admin/users/{user['id']}/approve").status_code == 200
        editor.goto(f"{gallery.address}/admin/designs/design/")
        expect(editor.get_by_label("Password")).to_be_visible()


class TestTheTrail:
    def test_tells_filters_and_exports_who_changed_what(self, admin, gallery):
        api = gallery.client(**gallery.admin)
        design = api.get("/api/designs", params={"per_page": 1}).json()["items"][0]
        assert api.put(f"/api/designs/{design['id']}", json={"title": "Monsoon"}).status_code == 200
        admin.goto(f"{gallery.address}{AUDIT}?q=Monsoon")
        row = admin.locator("#result_list .data-row").first
        expect(row.locator("del")).to_have_text(design["title"])
        expect(row.locator("ins")).to_have_text("Monsoon")
        admin.get_by_role("button", name="Filters").click()
        admin.locator("#changelist-filter").get_by_role("link", name="design.update").click()
        expect(admin.locator("#result_list .data-row")).to_have_count(1)
        look(admin, "audit-filtered-desktop-light")
        with admin.expect_download() as download:
            admin.get_by_role("link", name="Export as CSV").click()
        (line,) = csv.DictReader(io.StringIO(download.value.path().read_text("utf-8-sig"), newline=""))
        told = [line[name] for name in ("actor", "action", "field", "old", "new")]
        assert told == [gallery.admin["username"], "design.update", "title", design["title"], "Monsoon"]
        row.get_by_role("link", name="Monsoon").click()
        expect(admin.get_by_label("Title")).to_have_value("Monsoon")

    def test_of_a_day_is_chosen_by_its_date(self, admin, gallery):
        admin.goto(f"{gallery.address}{AUDIT}")
        admin.get_by_role("button", name="Filters").click()
        admin.get_by_label("To", exact=True).fill("2020-01-01")
        admin.get_by_role("button", name="Apply").click()
        expect(admin.locator("#result_list .data-row")).to_have_count(0)


def test_ones_own_password_is_changed_on_its_page(admin, gallery):
    admin.goto(f"{gallery.address}/admin/password_change/")
    admin.get_by_label("Old password").fill(gallery.admin["password"])
    for field in admin.get_by_label("New password").all():
        field.fill("a night of garba")
    look(admin, "own-password-desktop-light")
    admin.get_by_role("button", name="Change password").click()
    expect(admin.get_by_text("Your password was changed")).to_be_visible()
    admin.goto(f"{gallery.address}/admin/designs/design/")
    expect(admin.locator("#result_list")).to_be_visible()
    gallery.client().sign_in(gallery.admin["username"], "a night of garba")
