"""Keys in the queue of approvals: each means the person who is current when it is typed, however slow the server."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import EDITOR
from tests.browser.looks import axe_check, fits, shoot
from tests.browser.test_approvals import current, people, queue, state_of  # noqa: F401 -- a fixture

pytestmark = pytest.mark.browser

# Holds the page's POSTs until the test lets them go.
HOLD = """() => {
    const send = window.fetch;
    window.letGo = null;
    const gate = new Promise((open) => (window.letGo = open));
    window.fetch = async (url, options) => {
        if (options?.method === "POST") await gate;
        return send(url, options);
    };
}"""


def hold(page):
    page.evaluate(HOLD)
    return lambda: page.evaluate("window.letGo()")


def said(page):
    return page.locator("[data-decided]")


def type_keys(page, keys):
    for key in keys:
        page.keyboard.press(key)


def test_approve_undo_approve_is_about_one_person(queue, gallery):  # noqa: F811
    first, second, *_ = people(queue)
    type_keys(queue, "aua")
    expect(said(queue)).to_contain_text(f"Approved: {first}")
    expect(queue.get_by_role("link", name="Approvals")).to_contain_text("4")
    queue.wait_for_load_state("networkidle")
    assert state_of(gallery, first)[0] == "approved"
    assert state_of(gallery, second)[0] == "pending"
    assert current(queue) == second


def test_keys_typed_while_the_server_is_slow_go_to_whom_they_were_typed_for(queue, gallery):  # noqa: F811
    first, second, third, fourth, fifth = people(queue)
    let_go = hold(queue)
    type_keys(queue, "a")
    assert current(queue) == second
    type_keys(queue, "ja")  # past the second to the third
    assert current(queue) == fourth
    type_keys(queue, "u")
    assert current(queue) == third
    type_keys(queue, "r")
    queue.keyboard.type("Spam, a lot")
    queue.keyboard.press("Enter")
    let_go()
    expect(said(queue)).to_contain_text(f"Rejected: {third}")
    assert state_of(gallery, third) == ("rejected", "Spam, a lot")
    assert [state_of(gallery, name)[0] for name in (first, second, fourth, fifth)] == [
        "approved",
        "pending",
        "pending",
        "pending",
    ]


def test_undo_works_for_every_decision_after_a_reload_too(queue, gallery):  # noqa: F811
    first, second, third, *rest = people(queue)
    type_keys(queue, "a")
    type_keys(queue, "r")
    queue.keyboard.type("Spam")
    queue.keyboard.press("Enter")
    type_keys(queue, "a")
    expect(said(queue)).to_contain_text(f"Approved: {third}")
    queue.goto(queue.url.partition("#")[0])
    assert people(queue) == rest
    queue.get_by_text("Your last decisions").click()
    expect(queue.locator("[data-decision]")).to_have_count(3)
    shoot(queue, "decisions")
    axe_check(queue)
    for name in (third, second, first):
        type_keys(queue, "u")
        expect(said(queue)).to_contain_text(f"Pending again: {name}")
        expect(queue.locator("[data-person][aria-current=true] .gallery-person-name a")).to_have_text(name)
    assert people(queue) == [first, second, third, *rest]
    assert {state_of(gallery, name)[0] for name in (first, second, third)} == {"pending"}
    assert not state_of(gallery, second)[1]


def test_keys_typed_while_an_undone_person_comes_back_wait_for_them(queue, gallery):  # noqa: F811
    first, second, *_ = people(queue)
    type_keys(queue, "a")
    expect(said(queue)).to_contain_text(f"Approved: {first}")
    queue.goto(queue.url.partition("#")[0])
    assert current(queue) == second
    let_go = hold(queue)
    type_keys(queue, "ur")
    queue.keyboard.type("No buyer")
    queue.keyboard.press("Enter")
    let_go()
    expect(said(queue)).to_contain_text(f"Rejected: {first}")
    assert state_of(gallery, first) == ("rejected", "No buyer")
    assert state_of(gallery, second)[0] == "pending"


def test_keys_typed_before_the_script_runs_are_not_lost(admin, gallery):
    address = f"{gallery.address}/admin/accounts/user/approvals/"
    admin.goto(address)
    first, second, *_ = people(admin)
    held = []
    admin.route("**/approvals*.js", lambda route: held.append(route))
    admin.goto(address, wait_until="commit")
    admin.locator("[data-person][aria-current=true]").wait_for()
    type_keys(admin, "ja")
    while not held:
        admin.wait_for_timeout(20)
    held.pop().continue_()
    expect(said(admin)).to_contain_text(f"Approved: {second}")
    assert (state_of(gallery, first)[0], state_of(gallery, second)[0]) == ("pending", "approved")


class TestAColleague:
    @pytest.fixture
    def colleague(self, gallery):
        api = gallery.client(**gallery.admin)
        (user,) = api.get("/api/admin/users", params={"search": EDITOR["username"]}).json()["items"]
        assert api.put(f"/api/admin/users/{user['id']}", json={"is_admin": True}).status_code == 200
        return gallery.client(**EDITOR)

    def decide(self, colleague, name, verb, **body):
        (user,) = colleague.get("/api/admin/users", params={"search": name}).json()["items"]
        assert colleague.post(f"/api/admin/users/{user['id']}/{verb}", json=body).status_code == 200

    def open(self, admin, gallery):
        page = admin.context.new_page()  # what the server refuses is an error on the console, rightly
        page.goto(f"{gallery.address}/admin/accounts/user/approvals/")
        return page

    def test_who_approved_is_named_before_a_rejection(self, admin, gallery, colleague):
        page = self.open(admin, gallery)
        first, second, *_ = people(page)
        self.decide(colleague, first, "approve")
        type_keys(page, "r")
        page.keyboard.press("Enter")
        question = page.locator("[data-question]")
        expect(question).to_contain_text(f"{EDITOR['username']} approved {first} on")
        assert current(page) == second
        assert state_of(gallery, first)[0] == "approved"
        shoot(page, "stale-rejection")
        axe_check(page)
        question.get_by_role("button", name="Reject all the same").click()
        expect(said(page)).to_contain_text(f"Rejected: {first}")
        assert state_of(gallery, first)[0] == "rejected"

    def test_whose_decision_stands_is_not_asked_about_again(self, admin, gallery, colleague):
        page = self.open(admin, gallery)
        first, *rest = people(page)
        self.decide(colleague, first, "approve")
        page.get_by_role("button", name=f"Reject {first}", exact=True).click()
        page.locator("[data-reason]:visible [value=reject]").click()
        page.get_by_role("button", name="Leave it").click()
        assert people(page) == rest
        assert state_of(gallery, first)[0] == "approved"

    def test_who_decided_since_keeps_their_decision_when_mine_is_undone(self, admin, gallery, colleague):
        page = self.open(admin, gallery)
        first, second, *_ = people(page)
        type_keys(page, "a")
        expect(said(page)).to_contain_text(f"Approved: {first}")
        self.decide(colleague, first, "reject", reason="Left the firm")
        type_keys(page, "u")
        expect(page.locator("#gallery-said")).to_contain_text(f"{EDITOR['username']} rejected {first} on")
        assert state_of(gallery, first) == ("rejected", "Left the firm")
        assert current(page) == second


def test_a_decision_that_does_not_arrive_brings_the_person_back_and_moves_nobody(admin, gallery):
    page = admin.context.new_page()
    page.goto(f"{gallery.address}/admin/accounts/user/approvals/")
    first, second, *_ = people(page)
    page.route("**/approvals/", lambda route: route.abort(), times=1)
    type_keys(page, "a")
    expect(page.locator("#gallery-said")).to_contain_text("The server did not respond.")
    assert people(page)[:2] == [first, second]
    assert current(page) == second
    assert state_of(gallery, first)[0] == "pending"


def test_on_a_phone_the_reason_says_who_reads_it_and_is_cancelled(queue, gallery):  # noqa: F811
    queue.set_viewport_size({"width": 390, "height": 844})
    first, *_ = people(queue)
    queue.get_by_role("button", name=f"Reject {first}", exact=True).click()
    reason = queue.locator("[data-reason]:visible")
    expect(reason).to_contain_text(f"{first} reads it when signing in")
    fits(queue)
    axe_check(queue)
    shoot(queue, "reason-phone")
    reason.get_by_role("button", name="Cancel").click()
    expect(queue.locator("[data-reason]:visible")).to_have_count(0)
    assert state_of(gallery, first)[0] == "pending"
