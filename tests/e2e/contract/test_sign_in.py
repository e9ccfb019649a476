"""Signing in, refreshing, the list of sign-ins, a new password, signing out."""

import secrets

import pytest

from tests.e2e.contract.calls import at_once, bearer, everywhere
from tests.e2e.contract.pictures import picture
from tests.e2e.contract.shapes import (
    IMAGE,
    MESSAGE,
    SESSION,
    TOKEN,
    USER,
    granted,
    items_of,
    refused,
)

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def person(join):
    return join()


@pytest.fixture
def sign_in(anyone, person):
    def send():
        return granted(anyone.post("/api/auth/login", json=person.sign_in), TOKEN)

    return send


@pytest.fixture
def refresh(anyone):
    return lambda token: anyone.post("/api/auth/refresh", json={"refresh_token": token["refresh_token"]})


@pytest.fixture
def me(anyone):
    return lambda token: anyone.get("/api/auth/me", headers=bearer(token["access_token"]))


def test_signing_in_gives_a_token(person, sign_in, me):
    token = sign_in()
    assert token["refresh_expires_in"] > token["expires_in"]
    user = granted(me(token), USER)
    assert user == token["user"]
    assert (user["id"], user["username"], user["is_approved"], user["is_admin"]) == (
        person.id,
        person.username,
        True,
        False,
    )


def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(anyone, person):
    wrong = {"username": person.username, "password": "not the password"}
    nobody = {"username": f"nobody-{secrets.token_hex(4)}", "password": "not the password"}
    bodies = [
        refused(anyone.post("/api/auth/login", json=body), 401, "invalid_credentials")
        for body in (wrong, nobody)
    ]
    assert bodies[0] == bodies[1]


def test_what_is_missing_or_of_a_wrong_type_is_named(anyone):
    body = refused(anyone.post("/api/auth/login", json={}), 400, field="username")
    assert "password" in body["errors"]
    for wrong in ([], {}, None, True):
        refused(
            anyone.post("/api/auth/login", json={"username": wrong, "password": "abcdefg"}),
            400,
            field="username",
        )
        refused(
            anyone.post("/api/auth/login", json={"username": "abcdefg", "password": wrong}),
            400,
            field="password",
        )
        refused(anyone.post("/api/auth/refresh", json={"refresh_token": wrong}), 400, field="refresh_token")
    refused(anyone.post("/api/auth/refresh", json={}), 400, field="refresh_token")


def test_a_waiting_and_a_declined_account_are_told_apart(anyone, boss, join):
    waiting = join(approved=False)
    wrong = waiting.sign_in | {"password": "not the password"}
    refused(anyone.post("/api/auth/login", json=wrong), 401, "invalid_credentials")
    refused(anyone.post("/api/auth/login", json=waiting.sign_in), 403, "approval_pending")
    assert boss.post(f"/api/admin/users/{waiting.id}/reject", json={"reason": "no"}).status_code == 200
    refused(anyone.post("/api/auth/login", json=waiting.sign_in), 403, "approval_rejected")


def test_refreshing_gives_a_new_token_and_kills_the_old_one(sign_in, refresh, me):
    first = sign_in()
    second = granted(refresh(first), TOKEN)
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    granted(me(second), USER)
    third = granted(refresh(second), TOKEN)
    granted(me(third), USER)


def test_a_dead_refresh_token_used_again_ends_the_whole_sign_in(server, sign_in, refresh, me):
    other = sign_in()
    first = sign_in()
    second = granted(refresh(first), TOKEN)
    third = granted(refresh(second), TOKEN)
    refused(refresh(first), 401, "token_reused")
    refused(refresh(third), 401)
    assert everywhere(server.address, third["access_token"]) == {401}
    refused(me(first), 401)
    granted(me(other), USER)


def test_refreshes_with_one_token_at_once_get_the_same_successor(sign_in, refresh, me):
    token = sign_in()
    answers = [granted(answer, TOKEN) for answer in at_once([lambda: refresh(token)] * 5)]
    assert len({answer["refresh_token"] for answer in answers}) == 1
    for answer in answers:
        granted(me(answer), USER)
    granted(refresh(answers[0]), TOKEN)


def test_a_refresh_token_that_is_none_is_a_401(anyone, sign_in):
    token = sign_in()
    for bad in (
        "nonsense",
        "a.b.c",
        token["access_token"],
        token["refresh_token"] + "x",
        "é" * 20,
        "x" * 9000,
    ):
        refused(anyone.post("/api/auth/refresh", json={"refresh_token": bad}), 401)


def test_signing_out_kills_both_tokens_on_every_worker(server, anyone, sign_in, refresh, me):
    other, token = sign_in(), sign_in()
    body = {"refresh_token": token["refresh_token"]}
    granted(anyone.post("/api/auth/logout", json=body, headers=bearer(token["access_token"])))
    assert everywhere(server.address, token["access_token"]) == {401}
    refused(me(token), 401)
    refused(refresh(token), 401)
    refused(anyone.post("/api/auth/logout", headers=bearer(token["access_token"])), 401)
    granted(me(other), USER)
    granted(refresh(other), TOKEN)


def test_signing_out_needs_no_body(anyone, sign_in, refresh, me):
    token = sign_in()
    granted(anyone.post("/api/auth/logout", headers=bearer(token["access_token"])))
    refused(me(token), 401)
    refused(refresh(token), 401)


def test_a_sign_in_kept_alive_by_refreshing_ends_as_a_whole(anyone, sign_in, refresh, me):
    first = sign_in()
    second = granted(refresh(first), TOKEN)
    granted(anyone.post("/api/auth/logout", headers=bearer(second["access_token"])))
    refused(me(first), 401)
    refused(me(second), 401)
    refused(refresh(second), 401)


def test_sign_ins_are_listed_and_ended_one_by_one(server, connect, join, refresh):
    person = join()
    other = connect()
    other.session.headers["User-Agent"] = "Contract/1.0 (मोबाइल)".encode()
    other.sign_in(**person.sign_in)
    sessions = granted(person.client.get("/api/auth/sessions"), items_of(SESSION))["items"]
    assert len(sessions) == 2
    assert [one["current"] for one in sessions].count(True) == 1
    theirs = next(one for one in sessions if not one["current"])
    assert "Contract/1.0" in theirs["user_agent"]
    mirrored = granted(other.get("/api/auth/sessions"), items_of(SESSION))["items"]
    assert [one["id"] for one in mirrored if one["current"]] == [theirs["id"]]

    granted(person.client.delete(f"/api/auth/sessions/{theirs['id']}"))
    assert everywhere(server.address, other.token["access_token"]) == {401}
    refused(refresh(other.token), 401)
    left = granted(person.client.get("/api/auth/sessions"), items_of(SESSION))["items"]
    assert [one["current"] for one in left] == [True]
    refused(person.client.delete(f"/api/auth/sessions/{theirs['id']}"), 404)


def test_anothers_sign_in_is_a_404(reader, person):
    sessions = granted(reader.client.get("/api/auth/sessions"), items_of(SESSION))["items"]
    for one in sessions:
        refused(person.client.delete(f"/api/auth/sessions/{one['id']}"), 404)
    granted(reader.client.get("/api/auth/me"), USER)
    for bad in ("987654321", "abc", "0", "-1", "9" * 40):
        refused(person.client.delete(f"/api/auth/sessions/{bad}"), 404)


def test_a_new_password_ends_every_other_sign_in(server, anyone, connect, join, refresh):
    person = join()
    other = connect()
    other.sign_in(**person.sign_in)
    fresh = secrets.token_urlsafe(12)
    body = {"current_password": person.password, "new_password": fresh}

    refused(
        person.client.post("/api/auth/password", json=body | {"current_password": "wrong one"}),
        403,
        "wrong_password",
    )
    for poor in ("12345", "password", "x" * 129, None, [], ""):
        refused(
            person.client.post("/api/auth/password", json=body | {"new_password": poor}),
            400,
            field="new_password",
        )
    missing = refused(person.client.post("/api/auth/password", json={}), 400, field="current_password")
    assert "new_password" in missing["errors"]
    granted(other.get("/api/auth/me"), USER)

    granted(person.client.post("/api/auth/password", json=body), MESSAGE)
    assert everywhere(server.address, other.token["access_token"]) == {401}
    refused(refresh(other.token), 401)
    granted(person.client.get("/api/auth/me"), USER)
    refused(anyone.post("/api/auth/login", json=person.sign_in), 401, "invalid_credentials")
    granted(anyone.post("/api/auth/login", json=person.sign_in | {"password": fresh}), TOKEN)


def test_an_avatar_is_set_and_taken_away(person, fetch):
    files = {"file": ("me.jpg", picture("JPEG"), "image/jpeg")}
    image = granted(
        person.client.post("/api/upload/image", files=files, data={"category": "avatars"}), IMAGE, 201
    )
    user = granted(person.client.put("/api/auth/me", json={"avatar_object_key": image["object_key"]}), USER)
    assert user["avatar_url"]
    assert fetch(user["avatar_url"]).status_code == 200
    assert granted(person.client.get("/api/auth/me"), USER) == user
    assert granted(person.client.put("/api/auth/me", json={}), USER) == user
    sly = {"username": "someone-else", "is_admin": True, "is_approved": False}
    assert granted(person.client.put("/api/auth/me", json=sly), USER) == user
    for bad in ("avatars/none.jpg", "../../etc/passwd", "a\0b", 5, [], {}):
        refused(
            person.client.put("/api/auth/me", json={"avatar_object_key": bad}), 400, field="avatar_object_key"
        )
    assert granted(person.client.get("/api/auth/me"), USER) == user
    assert (
        granted(person.client.put("/api/auth/me", json={"avatar_object_key": None}), USER)["avatar_url"]
        is None
    )


def test_too_many_tries_are_a_429(anyone, join):
    victim = join(approved=False)
    wrong = {"username": victim.username, "password": "not the password"}
    for _ in range(60):
        answer = anyone.post("/api/auth/login", json=wrong)
        if answer.status_code == 429:
            break
        refused(answer, 401, "invalid_credentials")
    refused(answer, 429, "too_many_attempts")
