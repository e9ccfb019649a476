"""Work that is not saved: guarded on leaving, a picture shown before it is saved, saving by the keyboard."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import sign_in
from tests.browser.looks import SCREENS, axe_check, fits, shoot
from tests.pictures import saved, textile

pytestmark = pytest.mark.browser


@pytest.fixture
def design(admin, gallery):
    """The page of the newest design."""
    admin.goto(f"{gallery.address}/admin/designs/design/")
    admin.locator("#result_list .field-title a").first.click()
    expect(admin.get_by_label("Title")).to_be_visible()
    admin.wait_for_load_state("networkidle")
    return admin


@pytest.fixture
def asked(admin):
    """The kinds of dialogs that the page has shown; each is dismissed, so the page stays."""
    kinds = []

    def answer(dialog):
        kinds.append(dialog.type)
        dialog.dismiss()

    admin.on("dialog", answer)
    return kinds


def leave(page):
    page.locator("#nav-sidebar").get_by_role("link", name="Images").click(no_wait_after=True)
    page.wait_for_timeout(300)


def test_a_page_that_nobody_touched_is_left_freely(design, asked):
    leave(design)
    design.wait_for_url("**/uploads/image/")
    assert asked == []


def test_unsaved_work_is_guarded_by_every_way_out(design, asked):
    design.get_by_label("Title").fill("Six yards of rain")
    leave(design)
    assert asked == ["beforeunload"]
    expect(design.get_by_label("Title")).to_have_value("Six yards of rain")
    design.evaluate("location.reload()")
    design.wait_for_timeout(300)
    assert asked == ["beforeunload"] * 2
    design.get_by_role("button", name="Save", exact=True).click()
    expect(design.get_by_text("was changed successfully")).to_be_visible()
    assert asked == ["beforeunload"] * 2


def test_what_is_typed_and_taken_back_is_no_work(design, asked):
    field = design.get_by_label("Title")
    title = field.input_value()
    field.fill("Six yards of rain")
    field.fill(title)
    leave(design)
    design.wait_for_url("**/uploads/image/")
    assert asked == []


def test_a_page_that_came_back_with_a_fault_is_still_unsaved(design, asked):
    design.get_by_label("Title").fill("")
    design.get_by_role("button", name="Save", exact=True).click()
    expect(design.get_by_text("This field is required.")).to_be_visible()
    design.get_by_label("Title").click()
    leave(design)
    assert asked == ["beforeunload"]


@pytest.mark.parametrize("keys", ["Control+s", "Meta+s"])
def test_the_keyboard_saves_and_stays(design, asked, keys):
    address = design.url
    design.get_by_label("Title").fill("Six yards of rain")
    design.keyboard.press(keys)
    expect(design.get_by_text("was changed successfully")).to_be_visible()
    assert design.url.partition("?")[0] == address.partition("?")[0]
    expect(design.get_by_label("Title")).to_have_value("Six yards of rain")
    assert asked == []


def test_the_settings_are_guarded_and_saved_alike(admin, gallery, asked):
    admin.goto(f"{gallery.address}/admin/core/appsetting/")
    admin.get_by_label("Support contact").fill("call us")
    leave(admin)
    assert asked == ["beforeunload"]
    admin.keyboard.press("Control+s")
    expect(admin.get_by_text("The settings are saved.")).to_be_visible()
    expect(admin.get_by_label("Support contact")).to_have_value("call us")


def test_a_new_image_is_shown_before_it_is_saved(admin, gallery):
    admin.goto(f"{gallery.address}/admin/uploads/image/add/")
    file = {"name": "rain.jpg", "mimeType": "image/jpeg", "buffer": saved(textile(seed=3), quality=90)}
    field = admin.locator("input[type=file]")
    field.set_input_files(file)
    expect(admin.get_by_alt_text("Preview of rain.jpg")).to_be_visible()
    expect(admin.get_by_text("rain.jpg, not saved yet")).to_be_visible()
    admin.wait_for_function("document.querySelector('.gallery-preview img').naturalWidth > 0")
    shoot(admin, "picture-preview")
    axe_check(admin)
    field.set_input_files({"name": "rain.heic", "mimeType": "image/heic", "buffer": b"heic"})
    expect(admin.get_by_text("rain.heic: this browser cannot show it.")).to_be_visible()


def test_a_new_cover_is_shown_on_the_card_and_guarded_before_it_is_saved(design, asked):
    file = {"name": "rain.jpg", "mimeType": "image/jpeg", "buffer": saved(textile(seed=3), quality=90)}
    design.locator("#id_picture").set_input_files(file)
    rows = design.locator(".gallery-picture-list > li")
    expect(rows).to_have_count(2)
    design.get_by_role("button", name="Move picture 2 earlier").click()
    source = rows.first.locator("img").evaluate("image => image.src")
    expect(design.locator(".gallery-card-picture img").last).to_have_attribute("src", source)
    leave(design)
    assert asked == ["beforeunload"]


SAVE = {"name": "Save", "exact": True}


def sign_out_elsewhere(page, gallery):
    """End the session in another tab, and return that tab."""
    other = page.context.new_page()
    other.goto(f"{gallery.address}/admin/")
    other.locator("form[action$='/logout/']").evaluate("form => form.submit()")
    other.get_by_text("You are signed out").wait_for()
    return other


def test_a_form_that_meets_the_end_of_its_session_stays_and_is_saved_after_a_sign_in(admin, design, gallery):
    file = {"name": "rain.jpg", "mimeType": "image/jpeg", "buffer": saved(textile(seed=3), quality=90)}
    design.get_by_label("Description").fill("An hour's work")
    design.locator("#id_picture").set_input_files(file)
    expect(design.locator(".gallery-picture-list > li")).to_have_count(2)
    sign_out_elsewhere(design, gallery).close()
    design.get_by_role("button", **SAVE).click()
    said = design.get_by_role("status").filter(has_text="Nothing is saved yet. Your session has ended.")
    shoot(design, "session-ended")
    axe_check(design)
    for width, height in SCREENS.values():
        design.set_viewport_size({"width": width, "height": height})
        fits(design)
        message, bar = (
            design.locator("#gallery-said").bounding_box(),
            design.locator(".gallery-bar").bounding_box(),
        )
        assert message["y"] + message["height"] < bar["y"]  # it hides no button
    design.set_viewport_size({"width": 1280, "height": 800})
    expect(design.get_by_label("Description")).to_have_value("An hour's work")
    with design.context.expect_page() as opened:
        said.get_by_role("link", name="Sign in").click()
    sign_in(opened.value, gallery, **gallery.admin)
    design.get_by_role("button", **SAVE).click()
    expect(design.get_by_text("was changed successfully")).to_be_visible()
    (newest,) = gallery.client(**gallery.admin).get("/api/designs", params={"per_page": 1}).json()["items"]
    assert (newest["description"], len(newest["images"])) == ("An hour's work", 2)


def test_a_form_of_before_another_sign_in_is_saved_by_the_new_one(design, gallery):
    design.get_by_label("Title").fill("Six yards of rain")
    sign_in(sign_out_elsewhere(design, gallery), gallery, **gallery.admin)
    design.get_by_role("button", **SAVE).click()
    expect(design.get_by_text("was changed successfully")).to_be_visible()


def test_a_list_of_before_another_sign_in_stores_a_status_by_the_new_one(admin, gallery):
    admin.goto(f"{gallery.address}/admin/designs/design/")
    sign_in(sign_out_elsewhere(admin, gallery), gallery, **gallery.admin)
    admin.locator("#result_list .data-row").first.get_by_role("combobox").select_option("draft")
    expect(admin.locator("#gallery-said")).to_contain_text("Saved")


def test_a_network_that_breaks_on_saving_loses_nothing(admin, gallery):
    page = admin.context.new_page()  # what cannot be loaded is an error on the console, rightly
    page.goto(f"{gallery.address}/admin/designs/design/")
    page.locator("#result_list .field-title a").first.click()
    page.get_by_label("Title").fill("Six yards of rain")
    page.context.set_offline(True)
    page.get_by_role("button", **SAVE).click()
    said = "Nothing is saved yet. The server did not respond. Check your network."
    expect(page.get_by_text(said)).to_be_visible()
    page.context.set_offline(False)
    page.keyboard.press("Control+s")
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    expect(page.get_by_label("Title")).to_have_value("Six yards of rain")


def test_a_double_click_makes_one_design(admin, gallery):
    admin.goto(f"{gallery.address}/admin/designs/design/add/")
    file = {"name": "rain.jpg", "mimeType": "image/jpeg", "buffer": saved(textile(seed=3), quality=90)}
    admin.get_by_label("Title").fill("Six yards of rain")
    admin.get_by_label("Category").fill("Saree")
    admin.locator("#id_picture").set_input_files(file)
    expect(admin.locator(".gallery-picture-list > li")).to_have_count(1)
    admin.get_by_role("button", **SAVE).dblclick()
    expect(admin.get_by_text("was added successfully")).to_be_visible()
    admin.goto(f"{gallery.address}/admin/designs/design/?q=six+yards+rain")
    expect(admin.locator("#result_list .data-row")).to_have_count(1)


def test_save_and_next_leads_through_the_list_with_its_filters(admin, gallery):
    admin.goto(f"{gallery.address}/admin/designs/design/?o=1&status=published")
    titles = [link.inner_text() for link in admin.locator("#result_list .field-title a").all()]
    admin.get_by_role("link", name=titles[0], exact=True).last.click()
    for title in titles[:3]:
        expect(admin.get_by_label("Title")).to_have_value(title)
        admin.get_by_label("Season").fill("Monsoon")
        admin.get_by_role("button", name="Save and next").click()
    expect(admin.get_by_label("Title")).to_have_value(titles[3])
    changed = (
        gallery.client(**gallery.admin).get("/api/designs", params={"season": "Monsoon"}).json()["items"]
    )
    assert {design["title"] for design in changed} >= set(titles[:3])
