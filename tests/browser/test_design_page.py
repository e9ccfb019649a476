"""The page of a design, as staff work on it: pictures in order, versions, the trash; with a mouse and without one."""

import pytest
from playwright.sync_api import expect

from tests.browser.looks import look
from tests.pictures import saved, textile

pytestmark = pytest.mark.browser


def visit(page, gallery, path=""):
    page.goto(f"{gallery.address}/admin/designs/design/{path}")
    page.wait_for_load_state("networkidle")


def picture(name, seed):
    return {"name": name, "mimeType": "image/jpeg", "buffer": saved(textile(seed=seed), quality=92)}


@pytest.fixture
def api(gallery):
    return gallery.client(**gallery.admin)


@pytest.fixture
def design(api):
    """The newest design, with the pictures of two others after its own."""
    first, *others = api.get("/api/designs?per_page=3").json()["items"]
    keys = [first["r2_object_key"], *({"object_key": other["r2_object_key"], "alt": ""} for other in others)]
    return api.put(f"/api/designs/{first['id']}", json={"image_keys": keys}).json()


def keys_of(api, design):
    now = api.get(f"/api/designs/{design['id']}").json()
    return [image["object_key"] for image in now["images"]]


def save(page, name="Save and stay"):
    with page.expect_navigation():  # the page asks the server first
        page.get_by_role("button", name=name, exact=True).click()
    page.wait_for_load_state("networkidle")


class TestThePictures:
    def rows(self, page):
        return page.locator(".gallery-picture-list > li")

    def first_key(self, page):
        return self.rows(page).first.get_attribute("data-key")

    def drag(self, page, handle, place, is_there):
        """Drag to the upper edge of a place, and hold it there until the list has made room."""
        start, end = handle.bounding_box(), place.bounding_box()
        page.mouse.move(start["x"] + 20, start["y"] + 30)
        page.mouse.down()
        for step in range(200):
            page.mouse.move(end["x"] + 20 + step % 2, end["y"] + 4, steps=4)
            page.evaluate("new Promise(requestAnimationFrame)")
            if is_there():
                break
        page.mouse.up()

    def test_are_dragged_into_another_order(self, admin, gallery, api, design):
        visit(admin, gallery, f"{design['id']}/change/")
        first, second, third = keys_of(api, design)
        expect(self.rows(admin)).to_have_count(3)
        handles = self.rows(admin).locator("[data-handle]")
        self.drag(admin, handles.nth(2), handles.nth(0), lambda: self.first_key(admin) == third)
        expect(self.rows(admin).first).to_have_attribute("data-key", third)
        expect(self.rows(admin).first.locator("[data-place]")).to_have_text("Cover")
        look(admin, "design-dragged-desktop-light")
        save(admin)
        assert keys_of(api, design) == [third, first, second]

    def test_are_moved_described_and_taken_out_by_the_keyboard_alone(self, admin, gallery, api, design):
        visit(admin, gallery, f"{design['id']}/change/")
        first, _, third = keys_of(api, design)
        self.rows(admin).nth(0).get_by_role("textbox").focus()
        admin.keyboard.type("The whole cloth")
        admin.keyboard.press("Tab")  # of the first, only "later" can be chosen
        admin.keyboard.press("Enter")
        expect(admin.locator("[data-said]")).to_have_text("It is picture 2 of 3 now.")
        expect(admin.locator(":focus")).to_have_attribute("aria-label", "Move picture 2 later")
        admin.keyboard.press("Enter")
        expect(admin.locator("[data-said]")).to_have_text("It is picture 3 of 3 now.")
        expect(admin.locator(":focus")).to_have_attribute("aria-label", "Move picture 3 earlier")
        self.rows(admin).nth(0).get_by_role("button", name="Remove picture 1").focus()
        admin.keyboard.press("Enter")
        expect(self.rows(admin)).to_have_count(2)
        expect(admin.locator(":focus")).to_have_attribute("aria-label", "Remove picture 1")
        admin.get_by_role("button", name="Save and stay").focus()
        with admin.expect_navigation():
            admin.keyboard.press("Enter")
        assert keys_of(api, design) == [third, first]
        now = api.get(f"/api/designs/{design['id']}").json()
        assert now["images"][1]["alt"] == "The whole cloth"

    def test_are_added_from_files_and_from_the_store_up_to_eight(self, admin, gallery, api, design):
        visit(admin, gallery, f"{design['id']}/change/")
        chooser = admin.locator("#id_picture")
        chooser.set_input_files([picture("a.jpg", 31), picture("b.jpg", 47)])
        expect(self.rows(admin)).to_have_count(5)
        expect(admin.locator("[data-said]")).to_contain_text("Picture 5 is added.")
        save(admin)
        assert len(keys_of(api, design)) == 5
        chooser.set_input_files([picture(f"{seed}.jpg", seed) for seed in (60, 75, 90, 105)])
        expect(admin.locator("[data-said]")).to_have_text(
            "105.jpg is left out: a design has at most 8 pictures."
        )
        expect(self.rows(admin)).to_have_count(8)
        admin.get_by_role("button", name="Remove picture 8").click()
        admin.get_by_role("button", name="Stored images…").click()
        dialog = admin.get_by_role("dialog", name="Stored images")
        expect(dialog.get_by_role("img")).to_have_count(3)
        look(admin, "design-chooser-desktop-light")
        dialog.locator("[data-key]").first.click()
        expect(dialog).to_be_hidden()
        expect(self.rows(admin)).to_have_count(8)
        save(admin)
        assert len(keys_of(api, design)) == 8

    def test_are_waited_for_by_who_saves_while_they_are_sent(self, admin, gallery, api, design):
        visit(admin, gallery, f"{design['id']}/change/")
        held = []
        admin.route("**/design/pictures/", lambda route: held.append(route), times=1)
        admin.locator("#id_picture").set_input_files([picture("a.jpg", 31)])
        admin.get_by_label("Title").fill("Six yards of rain")
        admin.get_by_role("button", name="Save and stay", exact=True).click()
        expect(admin.locator("[data-said]")).to_contain_text("once its pictures are uploaded")
        with admin.expect_navigation():
            held[0].continue_()
        expect(self.rows(admin)).to_have_count(4)
        assert len(keys_of(api, design)) == 4
        assert api.get(f"/api/designs/{design['id']}").json()["title"] == "Six yards of rain"

    def test_what_is_none_is_refused_in_words(self, admin, gallery, design):
        page = admin.context.new_page()  # what the server refuses is an error on the console, rightly
        visit(page, gallery, f"{design['id']}/change/")
        page.locator("#id_picture").set_input_files(
            [{"name": "notes.jpg", "mimeType": "image/jpeg", "buffer": b"hello"}]
        )
        expect(page.locator("[data-said]")).to_contain_text("notes.jpg: Only JPEG")
        expect(self.rows(page)).to_have_count(3)

    def test_an_image_becomes_a_design(self, admin, gallery, api, design):
        visit(admin, gallery, f"{design['id']}/change/")
        admin.locator("#id_picture").set_input_files([picture("a.jpg", 31)])
        expect(self.rows(admin)).to_have_count(4)  # stored, and shown by nothing, since this is not saved
        admin.goto(f"{gallery.address}/admin/uploads/image/?in_use=no")
        admin.locator("#result_list .field-thumbnail a").first.click()
        admin.get_by_role("link", name="Make a design of this image").click()
        expect(self.rows(admin)).to_have_count(1)
        admin.get_by_label("Title").fill("Of an image")
        admin.get_by_label("Category").fill("Saree")
        save(admin, "Save")
        (made,) = api.get("/api/designs?search=image&per_page=1").json()["items"]
        assert made["title"] == "Of an image"


class TestTheBar:
    @pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["desktop", "phone"])
    def test_status_featured_and_save_are_always_in_sight(self, admin, gallery, design, size):
        admin.set_viewport_size({"width": size[0], "height": size[1]})
        visit(admin, gallery, f"{design['id']}/change/")
        bar = [
            admin.locator("#id_status"),
            admin.locator("#id_featured"),
            admin.get_by_role("button", name="Save", exact=True),
        ]
        for place in (0, 0.5, 1):
            admin.evaluate("place => scrollTo(0, place * document.documentElement.scrollHeight)", place)
            for part in bar:
                expect(part).to_be_in_viewport()

    def test_they_are_saved_with_the_rest(self, admin, gallery, api, design):
        visit(admin, gallery, f"{design['id']}/change/")
        admin.locator("#id_status").select_option("archived")
        admin.get_by_label("Title").fill("Six yards of rain")
        save(admin, "Save")
        now = api.get(f"/api/designs/{design['id']}").json()
        assert (now["status"], now["title"]) == ("archived", "Six yards of rain")


class TestTheVersions:
    def test_lead_back_and_forth(self, admin, gallery, api, design):
        title = design["title"]
        visit(admin, gallery, f"{design['id']}/change/")
        admin.get_by_label("Title").fill("Six yards of rain")
        save(admin)
        lines = admin.locator(".gallery-timeline > li")
        expect(lines.first).to_contain_text("asha changed it")
        expect(lines.first).to_contain_text("Six yards of rain")
        expect(lines.first).to_contain_text("IST")
        admin.get_by_role("button", name="Go back to version 2").focus()
        admin.keyboard.press("Enter")
        expect(admin.get_by_text("as it was in version 2")).to_be_visible()
        assert api.get(f"/api/designs/{design['id']}").json()["title"] == title
        admin.get_by_role("button", name="Go back to version 3").click()
        expect(admin.get_by_text("as it was in version 3")).to_be_visible()
        assert api.get(f"/api/designs/{design['id']}").json()["title"] == "Six yards of rain"
        look(admin, "design-versions-desktop-light")

    def test_older_ones_come_by_a_button(self, admin, gallery, api, design):
        for number in range(11):
            api.put(f"/api/designs/{design['id']}", json={"title": f"Title {number}"})
        visit(admin, gallery, f"{design['id']}/change/")
        lines = admin.locator(".gallery-timeline > li")
        expect(lines).to_have_count(10)
        admin.get_by_role("button", name="Older versions").click()
        expect(lines).to_have_count(13)
        expect(admin.get_by_role("button", name="Older versions")).to_have_count(0)


class TestTheTrash:
    def test_takes_a_design_and_gives_it_back(self, admin, gallery, api, design):
        visit(admin, gallery, f"{design['id']}/change/")
        admin.get_by_role("link", name="Delete", exact=True).click()
        expect(admin.get_by_text("For 30 days")).to_be_visible()
        admin.get_by_role("button", name="Put into the trash").click()
        visit(admin, gallery)
        admin.get_by_role("link", name="Trash").click()
        row = admin.get_by_role("row", name=design["title"])
        row.get_by_role("checkbox").check()
        look(admin, "trash-chosen-desktop-light")
        admin.get_by_role("button", name="Take out of the trash").click()
        admin.wait_for_load_state("networkidle")
        assert api.get(f"/api/designs/{design['id']}").json()["status"] == "published"
        expect(admin.locator(".gallery-timeline > li").first).to_contain_text("restored it")

    def test_deletes_for_good_after_it_was_asked_by_the_keyboard_alone(self, admin, gallery, api, design):
        api.delete(f"/api/designs/{design['id']}")
        visit(admin, gallery, "trash/")
        admin.get_by_role("checkbox").first.focus()
        admin.keyboard.press("Space")
        admin.keyboard.press("Tab")
        admin.keyboard.press("Tab")
        admin.keyboard.press("Tab")
        expect(admin.locator(":focus")).to_have_text("Delete for good…")
        admin.keyboard.press("Enter")
        expect(admin.get_by_role("heading", name="for good?")).to_contain_text(design["title"])
        expect(admin.locator(".gallery-deletion")).to_contain_text("3 versions")
        look(admin, "purge-desktop-light")
        assert api.get(f"/api/designs/{design['id']}").status_code == 200
        admin.get_by_role("button", name="Delete for good").focus()
        admin.keyboard.press("Enter")
        expect(admin.get_by_text("1 design is deleted for good.")).to_be_visible()
        assert api.get(f"/api/designs/{design['id']}").status_code == 404

    def test_takes_many_from_the_list(self, admin, gallery, api):
        visit(admin, gallery)
        admin.locator("#action-toggle").check()
        admin.get_by_label("Select action to run").select_option("delete_selected")
        admin.get_by_role("button", name="Run").click()
        admin.get_by_role("button", name="Put into the trash").click()
        admin.wait_for_load_state("networkidle")
        assert api.get("/api/designs?status=deleted&per_page=1").json()["total"] == 24
        assert api.get("/api/designs").json()["total"] == 0
