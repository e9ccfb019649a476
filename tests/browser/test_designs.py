"""Designs in the console, as staff work on them: many images at once, changes in the list, the card, tables."""

import csv
import io

import pytest
from playwright.sync_api import expect

from tests.browser.looks import look
from tests.pictures import saved, textile

pytestmark = pytest.mark.browser

SLOW = {
    "offline": False,
    "latency": 0,
    "downloadThroughput": -1,
    "uploadThroughput": 200_000,
}  # bytes a second
FULL_SPEED = SLOW | {"uploadThroughput": -1}
IN_FLIGHT = "[...document.querySelectorAll('progress')].some(bar => bar.value > 0 && bar.value < 100)"


def picture(name, seed=0, data=None):
    return {"name": name, "mimeType": "image/jpeg", "buffer": data or saved(textile(seed=seed), quality=92)}


def visit(page, gallery, path=""):
    page.goto(f"{gallery.address}/admin/designs/design/{path}")
    page.wait_for_load_state("networkidle")


def designs(gallery, **wanted):
    answer = gallery.client(**gallery.admin).get("/api/designs", params=wanted)
    return answer.json()["items"]


class TestManyImagesAtOnce:
    def rows(self, page):
        return page.get_by_role("list", name="Uploads").locator(":scope > li")

    def test_five_become_drafts_with_progress_and_are_published_together(self, admin, gallery):
        visit(admin, gallery)
        admin.get_by_role("link", name="Upload images").click()
        admin.get_by_label("Category").fill("Lehenga")
        line = admin.context.new_cdp_session(admin)
        line.send("Network.emulateNetworkConditions", SLOW)
        files = [picture(f"garba_night-{number}.jpg", seed=number * 9) for number in range(5)]
        admin.get_by_label("Choose images").set_input_files(files)
        rows = self.rows(admin)
        expect(rows).to_have_count(5)
        admin.wait_for_function(IN_FLIGHT)
        expect(rows.filter(has_text="Waiting")).to_have_count(3)
        line.send("Network.emulateNetworkConditions", FULL_SPEED)
        expect(admin.locator("#summary")).to_have_text("5 of 5 uploaded.", timeout=60_000)
        expect(rows.filter(has_text="Draft created")).to_have_count(5)
        admin.wait_for_load_state("networkidle")
        look(admin, "uploaded-desktop-light")

        title = rows.first.get_by_label("Title")
        assert title.input_value() == "Garba night 0"
        title.fill("Garba by moonlight")
        title.press("Tab")
        expect(admin.locator("#gallery-said")).to_contain_text("Saved")
        drafts = designs(gallery, status="draft")
        assert {draft["title"] for draft in drafts} == {
            "Garba by moonlight",
            *(f"Garba night {number}" for number in range(1, 5)),
        }
        assert {draft["category"] for draft in drafts} == {"Lehenga"}

        admin.get_by_role("link", name="Go to the drafts").click()
        expect(admin.locator("#result_list .data-row")).to_have_count(5)
        admin.locator("#action-toggle").check()
        admin.get_by_label("Select action to run").select_option("publish")
        admin.get_by_role("button", name="Run").click()
        expect(admin.get_by_text("Designs changed: 5.")).to_be_visible()
        assert designs(gallery, status="draft") == []
        assert len(designs(gallery, status="published", category="Lehenga", search="garba")) == 5

    def test_dropped_files_are_taken_and_each_fault_is_said_beside_its_file(self, admin, gallery):
        page = admin.context.new_page()  # what the server refuses is an error on the console, rightly
        visit(page, gallery, "upload/")
        first = saved(textile(seed=5))
        again = saved(textile(seed=5).resize((600, 800)), quality=60)
        files = [picture("first.jpg", data=first), picture("again.jpg", data=again)]
        page.get_by_label("Choose images").set_input_files(files[:1])
        expect(page.locator("#summary")).to_have_text("1 of 1 uploaded.")
        script = """files => {
            const data = new DataTransfer();
            for (const [name, type, bytes] of files) {
                data.items.add(new File([Uint8Array.from(bytes)], name, {type}));
            }
            document.getElementById("drop").dispatchEvent(new DragEvent("drop", {dataTransfer: data}));
        }"""
        dropped = [
            ("again.jpg", "image/jpeg", list(again)),
            ("broken.jpg", "image/jpeg", list(first[:900])),
            ("notes.pdf", "application/pdf", list(b"%PDF")),
        ]
        page.evaluate(script, dropped)
        expect(page.locator("#summary")).to_have_text("2 of 4 uploaded, 2 failed.")
        rows = self.rows(page)
        expect(rows.filter(has_text="again.jpg")).to_contain_text("It looks like existing images: First")
        expect(rows.filter(has_text="broken.jpg")).to_contain_text("cut off")
        expect(rows.filter(has_text="notes.pdf")).to_contain_text("Only JPEG, PNG, WebP, HEIC and AVIF")
        expect(page.get_by_role("button", name="Try again")).to_have_count(0)
        page.wait_for_load_state("networkidle")
        look(page, "upload-faults-desktop-light")

    def test_what_failed_on_the_way_is_tried_again(self, admin, gallery):
        page = admin.context.new_page()
        visit(page, gallery, "upload/")
        page.route("**/upload/file/", lambda route: route.abort(), times=1)
        page.get_by_label("Choose images").set_input_files([picture("first.jpg")])
        expect(page.locator("#summary")).to_have_text("0 of 1 uploaded, 1 failed.")
        expect(self.rows(page)).to_contain_text("The server did not respond.")
        page.get_by_role("button", name="Try again").click()
        expect(page.locator("#summary")).to_have_text("1 of 1 uploaded.")
        assert len(designs(gallery, status="draft")) == 1

    def test_an_ended_session_is_said_in_words(self, admin, gallery):
        page = admin.context.new_page()
        visit(page, gallery, "upload/")
        page.context.clear_cookies(name="sessionid")
        page.get_by_label("Choose images").set_input_files([picture("first.jpg")])
        expect(self.rows(page)).to_contain_text("session has ended")


class TestTheList:
    def test_status_and_featured_are_changed_in_place_by_the_keyboard(self, admin, gallery):
        visit(admin, gallery)
        row = admin.locator("#result_list .data-row").first
        status, featured = row.get_by_role("combobox"), row.get_by_role("switch")
        was = featured.is_checked()
        title = row.locator(".field-title").inner_text()
        status.focus()
        admin.keyboard.press("a")  # archived
        expect(admin.locator("#gallery-said")).to_have_text(f"Saved: Status of {title}")
        admin.keyboard.press("Tab")
        expect(featured).to_be_focused()
        admin.keyboard.press("Space")
        expect(admin.locator("#gallery-said")).to_have_text(f"Saved: {title} is featured")
        look(admin, "designs-changed-desktop-light")
        (design,) = designs(gallery, status="archived")
        assert (design["title"], design["featured"]) == (title, not was)
        visit(admin, gallery, "?status=archived")
        expect(admin.locator("#result_list .data-row")).to_have_count(1)

    def test_a_change_that_is_refused_is_taken_back_and_said(self, admin, gallery):
        page = admin.context.new_page()
        visit(page, gallery)
        row = page.locator("#result_list .data-row").first
        (newest,) = designs(gallery, per_page=1)
        assert gallery.client(**gallery.admin).delete(f"/api/designs/{newest['id']}").status_code == 200
        row.get_by_role("combobox").select_option("archived")
        expect(page.locator("#gallery-said")).to_have_text("This design has been deleted.")
        expect(row.get_by_role("combobox")).to_have_value("published")

    def test_the_filters_open_by_the_keyboard_and_tell_their_counts(self, admin, gallery):
        visit(admin, gallery)
        admin.get_by_role("button", name="Filters").focus()
        admin.keyboard.press("Enter")
        expect(admin.locator("#changelist-filter summary")).to_have_count(10)
        admin.keyboard.press("Tab")
        expect(admin.locator("#changelist-filter summary").first).to_be_focused()
        choice = admin.locator("#changelist-filter").get_by_role("link", name="Published 24")
        expect(choice).to_be_visible()
        look(admin, "filters-desktop-light")
        admin.keyboard.press("Escape")
        expect(admin.get_by_role("button", name="Filters")).to_be_focused()
        admin.keyboard.press("Enter")
        choice.click()
        expect(admin.locator("#result_list .data-row")).to_have_count(24)

    def test_filters_that_cannot_be_counted_say_so(self, admin, gallery):
        page = admin.context.new_page()
        visit(page, gallery)
        page.route("**/filters/**", lambda route: route.fulfill(status=503, body="away"))
        page.get_by_role("button", name="Filters").click()
        expect(page.locator("#changelist-filter")).to_contain_text("failed (503)")

    def test_what_it_shows_is_exported(self, admin, gallery):
        visit(admin, gallery)
        wanted = designs(gallery, per_page=1)[0]["category"]
        visit(admin, gallery, f"?category={wanted}")
        with admin.expect_download() as download:
            admin.get_by_role("link", name="Export as CSV").click()
        rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8-sig"), newline="")))
        expected = {design["id"] for design in designs(gallery, category=wanted, per_page=100)}
        assert {int(row["id"]) for row in rows} == expected


class TestTheCard:
    def test_shows_the_placeholder_then_the_picture_and_follows_the_form(self, admin, gallery):
        design = designs(gallery, per_page=1)[0]
        visit(admin, gallery, f"{design['id']}/change/")
        pictures = admin.locator(".gallery-card img")
        assert pictures.first.get_attribute("src").startswith("data:image/png;base64,")
        loaded = "images => images.map(image => image.complete && image.naturalWidth)"
        placeholder, picture = pictures.evaluate_all(loaded)
        assert 0 < placeholder <= 32 < picture
        titles = admin.locator("[data-card=title]")
        expect(titles).to_have_text([design["title"]] * 2)
        admin.get_by_label("Title").fill("Six yards of rain")
        expect(titles).to_have_text(["Six yards of rain"] * 2)
