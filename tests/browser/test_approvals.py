"""The queue of approvals by mouse and by keyboard."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import sign_in
from tests.browser.looks import SCREENS, axe_check, fits, shoot

pytestmark = pytest.mark.browser


@pytest.fixture
def queue(admin, gallery):
    """The queue, opened by its entry in the sidebar, which shows how many users wait."""
    entry = admin.get_by_role("link", name="Approvals")
    expect(entry).to_contain_text("5")
    entry.click()
    expect(admin.get_by_text("Longest waiting first")).to_be_visible()
    return admin


def people(queue):
    return [name.inner_text() for name in queue.locator(".gallery-person-name a").all()]


def current(queue):
    return queue.locator("[data-person][aria-current=true] .gallery-person-name a").inner_text()


def state_of(gallery, name):
    api = gallery.client(**gallery.admin)
    (user,) = api.get("/api/admin/users", params={"search": name}).json()["items"]
    return user["state"], user["rejection_reason"]


def test_approving_leads_to_the_next_in_the_queue(queue, gallery):
    first, second, *_ = people(queue)
    queue.get_by_role("button", name=f"Approve {first}").click()
    expect(queue.get_by_role("status").first).to_contain_text(f"Approved: {first}")
    assert people(queue)[0] == current(queue) == second
    expect(queue.get_by_role("link", name="Approvals")).to_contain_text("4")
    assert state_of(gallery, first)[0] == "approved"
    shoot(queue, "approved")
    axe_check(queue)

    queue.get_by_role("button", name="Undo").click()
    expect(queue.get_by_role("status").first).to_contain_text(f"Pending again: {first}")
    assert state_of(gallery, first)[0] == "pending"


def test_a_reason_is_asked_for_and_offered_the_next_time(queue, gallery):
    first, second, *_ = people(queue)
    queue.get_by_role("button", name=f"Reject {first}", exact=True).click()
    field = queue.get_by_label("Reason").first
    expect(field).to_be_focused()
    field.fill("Please write to us first.")
    shoot(queue, "reason")
    axe_check(queue)
    field.press("Enter")
    expect(queue.get_by_role("status").first).to_contain_text(f"Rejected: {first}")
    assert state_of(gallery, first) == ("rejected", "Please write to us first.")

    queue.get_by_role("button", name=f"Reject {second}", exact=True).click()
    queue.locator("[data-reason]:visible").get_by_role("button", name="Please write to us first.").click()
    queue.locator("[data-reason]:visible [value=reject]").click()
    expect(queue.get_by_role("status").first).to_contain_text(f"Rejected: {second}")
    assert state_of(gallery, second) == ("rejected", "Please write to us first.")


def test_the_keyboard_does_it_all(queue, gallery):
    first, second, third, *_ = people(queue)
    press = queue.keyboard.press
    press("?")
    expect(queue.get_by_role("dialog")).to_be_visible()
    shoot(queue, "keyboard")
    axe_check(queue)
    press("Escape")

    press("j")
    assert current(queue) == second
    press("j")
    press("k")
    press("k")
    assert current(queue) == first
    press("j")
    press("a")
    expect(queue.get_by_role("status").first).to_contain_text(f"Approved: {second}")
    assert current(queue) == third

    press("r")
    queue.keyboard.type("A jest, k?")
    press("Escape")
    assert current(queue) == third
    press("r")
    press("Enter")
    expect(queue.get_by_role("status").first).to_contain_text(f"Rejected: {third}")
    assert state_of(gallery, third) == ("rejected", "A jest, k?")
    press("u")
    expect(queue.get_by_role("status").first).to_contain_text(f"Pending again: {third}")
    assert state_of(gallery, third)[0] == "pending"


def test_several_at_once(queue, gallery):
    first, second, *rest = people(queue)
    expect(queue.get_by_role("button", name="Approve selected")).to_be_disabled()
    queue.get_by_label(f"Select {first}").check()
    queue.keyboard.press("j")
    queue.keyboard.press("x")
    expect(queue.get_by_text("2 selected")).to_be_visible()
    queue.get_by_role("button", name="Reject selected…").click()
    queue.locator("#reason-bulk").get_by_role("textbox").fill("Spam.")
    shoot(queue, "several")
    queue.keyboard.press("Enter")
    expect(queue.get_by_role("status").first).to_contain_text("Rejected:")
    assert people(queue) == rest
    assert state_of(gallery, first) == state_of(gallery, second) == ("rejected", "Spam.")

    queue.get_by_label("Select all").check()
    queue.get_by_role("button", name="Approve selected").click()
    expect(queue.get_by_text("No one is waiting.")).to_be_visible()
    assert queue.get_by_role("link", name="Approvals").inner_text().split() == ["how_to_reg", "Approvals"]
    shoot(queue, "no-one-waiting")
    axe_check(queue)


def test_a_name_as_long_as_names_may_be_fits_a_phone(gallery, page):
    name = "w" * 50
    body = {"username": name, "password": "indigo-vat-42"}
    assert gallery.client().post("/api/auth/register", json=body).ok
    width, height = SCREENS["phone"]
    page.set_viewport_size({"width": width, "height": height})
    sign_in(page, gallery, **gallery.admin)
    page.goto(f"{gallery.address}/admin/accounts/user/approvals/")
    page.get_by_role("button", name=f"Reject {name}", exact=True).click()
    fits(page)
    shoot(page, "long-name-phone")
