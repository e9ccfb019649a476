"""The admin's calls on users: the queue, decisions, changes, the guards of the last admin."""

import secrets

import pytest

from tests.e2e.contract.shapes import ADMIN_USER, MESSAGE, TOKEN, granted, page_of, refused

pytestmark = pytest.mark.e2e

PAGE = page_of(ADMIN_USER)
DECIDED = MESSAGE | {"user": ADMIN_USER}


@pytest.fixture
def users(boss):
    def ask(path="/api/admin/users", **query):
        return granted(boss.get(path, params={"per_page": 100} | query), PAGE)["items"]

    return ask


@pytest.fixture
def myself(boss):
    return boss.token["user"]["id"]


def test_the_filters_of_the_list(boss, users, join):
    waiting, declined, approved = join(approved=False), join(approved=False), join()
    granted(boss.post(f"/api/admin/users/{declined.id}/reject", json={"reason": "टेस्ट"}), DECIDED)
    for person, state in ((waiting, "pending"), (declined, "rejected"), (approved, "approved")):
        found = users(search=person.username)
        assert [one["id"] for one in found] == [person.id]
        assert found[0]["state"] == state
        assert found[0]["is_approved"] is (state == "approved")
        assert [one["id"] for one in users(search=person.username.upper()[3:-3])] == [person.id]
        for other in ("pending", "approved", "rejected"):
            assert bool(users(search=person.username, state=other)) is (other == state)
        for value in ("true", "false"):
            assert bool(users(search=person.username, is_approved=value)) is (
                (value == "true") == (state == "approved")
            )
        assert users(search=person.username, is_admin="true") == []
        assert len(users(search=person.username, is_admin="false")) == 1
    assert all(one["is_admin"] for one in users(is_admin="true"))
    assert {one["state"] for one in users(state="pending")} == {"pending"}
    assert users(search="%") == users(search="no-such-user-anywhere") == []
    name = users(search=declined.username)[0]
    assert name["rejection_reason"] == "टेस्ट"
    assert name["reviewed_at"]
    assert name["reviewed_by"]
    assert name["last_login"] is None
    assert users(search=approved.username)[0]["last_login"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("state", "nope"), ("is_approved", "maybe"), ("is_admin", "2"), ("sort", "no-such-order")],
)
def test_bad_values_are_named(boss, name, value):
    refused(boss.get("/api/admin/users", params={name: value}), 400, field=name)


def test_the_queue_is_longest_waiting_first(users, boss, join):
    first, second = join(approved=False), join(approved=False)
    queue = users("/api/admin/users/pending")
    assert {one["state"] for one in queue} == {"pending"}
    moments = [one["created_at"] for one in queue]
    assert moments == sorted(moments)
    numbers = [one["id"] for one in queue]
    assert numbers.index(first.id) < numbers.index(second.id)
    granted(boss.post(f"/api/admin/users/{first.id}/approve"), DECIDED)
    granted(boss.post(f"/api/admin/users/{second.id}/reject"), DECIDED)
    assert not {first.id, second.id} & {one["id"] for one in users("/api/admin/users/pending")}


def test_decisions_are_idempotent_and_can_be_changed(anyone, boss, join):
    person = join(approved=False)
    path = f"/api/admin/users/{person.id}"
    for _ in range(2):
        user = granted(boss.post(f"{path}/reject", json={"reason": " Not now "}), DECIDED)["user"]
        assert (user["state"], user["is_approved"], user["rejection_reason"]) == (
            "rejected",
            False,
            "Not now",
        )
    refused(anyone.post("/api/auth/login", json=person.sign_in), 403, "approval_rejected")
    for _ in range(2):
        user = granted(boss.post(f"{path}/approve"), DECIDED)["user"]
        assert (user["state"], user["is_approved"]) == ("approved", True)
    granted(anyone.post("/api/auth/login", json=person.sign_in), TOKEN)
    refused(boss.post(f"{path}/reject", json={"reason": "a\0b"}), 400, field="reason")
    for wrong in ([], {}, True):
        refused(boss.post(f"{path}/reject", json={"reason": wrong}), 400, field="reason")
    granted(anyone.post("/api/auth/login", json=person.sign_in), TOKEN)


def changed(answer):
    """The user in the answer to a change, bare or in an envelope."""
    body = answer.json()
    kind = DECIDED if "user" in body else ADMIN_USER
    body = granted(answer, kind)
    return body.get("user", body)


def test_changing_a_user(anyone, boss, join):
    person = join()
    path = f"/api/admin/users/{person.id}"
    fresh = f"renamed-{secrets.token_hex(4)}"
    user = changed(boss.put(path, json={"username": f" {fresh} ", "nope": 1, "id": 1}))
    assert (user["id"], user["username"], user["is_approved"]) == (person.id, fresh, True)
    assert granted(anyone.post("/api/auth/login", json=person.sign_in | {"username": fresh}), TOKEN)
    assert changed(boss.put(path, json={}))["username"] == fresh
    assert changed(boss.put(path, json={"username": fresh.upper()}))["username"] == fresh.upper()
    assert changed(boss.put(path, json={"is_admin": True}))["is_admin"] is True
    assert changed(boss.put(path, json={"is_admin": False}))["is_admin"] is False


def test_bad_changes_are_named_and_change_nothing(boss, reader, join):
    person = join(approved=False)
    path = f"/api/admin/users/{person.id}"
    refused(boss.put(path, json={"username": reader.username.upper()}), 409, "username_taken")
    bad = [("username", one) for one in ("ab", "a b", "x" * 51, "a\0bc", None, [], True)]
    bad += [("password", one) for one in ("12345", "password", "x" * 129, [], True)]
    bad += [(name, one) for name in ("is_admin", "is_approved") for one in ("maybe", None, [], 7)]
    for name, value in bad:
        good = {"username": f"half-{secrets.token_hex(4)}"} if name != "username" else {"is_admin": True}
        refused(boss.put(path, json=good | {name: value}), 400, field=name)
    left = granted(boss.get("/api/admin/users", params={"search": person.username}), PAGE)["items"]
    assert [(one["id"], one["username"], one["is_admin"]) for one in left] == [
        (person.id, person.username, False)
    ]


def test_no_admin_takes_his_own_power(boss, myself):
    path = f"/api/admin/users/{myself}"
    codes = set()
    for answer in (
        boss.put(path, json={"is_admin": False}),
        boss.put(path, json={"is_approved": False}),
        boss.post(f"{path}/reject", json={}),
        boss.delete(path),
    ):
        codes.add(refused(answer, 409)["code"])
    assert codes <= {"own_account", "last_admin"}
    assert boss.get("/api/admin/settings").status_code == 200


def test_with_another_admin_there_the_reason_is_the_own_account(join):
    person = join(is_admin=True)
    path = f"/api/admin/users/{person.id}"
    for answer in (
        person.client.put(path, json={"is_admin": False}),
        person.client.put(path, json={"is_approved": False}),
        person.client.post(f"{path}/reject", json={}),
        person.client.delete(path),
    ):
        refused(answer, 409, "own_account")
    assert person.client.get("/api/admin/settings").status_code == 200


def test_deleting_a_user_frees_the_name(anyone, boss, join):
    person = join()
    granted(boss.delete(f"/api/admin/users/{person.id}"), MESSAGE)
    refused(boss.delete(f"/api/admin/users/{person.id}"), 404)
    refused(boss.post(f"/api/admin/users/{person.id}/approve"), 404)
    assert anyone.post("/api/auth/register", json=person.sign_in).status_code == 200
