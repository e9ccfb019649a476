"""Registering: names, passwords, the waiting account."""

import secrets
import unicodedata

import pytest

from tests.e2e.contract.calls import at_once
from tests.e2e.contract.shapes import MESSAGE, USER, granted, refused

pytestmark = pytest.mark.e2e

REGISTERED = MESSAGE | {"user": USER}


def password() -> str:
    return secrets.token_urlsafe(9)


@pytest.fixture
def register(anyone):
    def send(username, secret=None, **more):
        return anyone.post(
            "/api/auth/register", json={"username": username, "password": secret or password(), **more}
        )

    return send


def test_a_registered_account_waits(anyone, register):
    name = f"new-{secrets.token_hex(4)}"
    body = granted(register(name), REGISTERED)
    assert body["message"].startswith("Registration successful.")
    user = body["user"]
    assert (user["username"], user["is_admin"], user["is_approved"], user["avatar_url"]) == (
        name,
        False,
        False,
        None,
    )


def test_fields_that_are_not_asked_for_are_ignored(register):
    body = register(
        f"sly-{secrets.token_hex(4)}", is_admin=True, is_approved=True, id=1, state="approved", nope=[1]
    )
    user = granted(body, REGISTERED)["user"]
    assert (user["is_admin"], user["is_approved"]) == (False, False)
    assert user["id"] != 1


@pytest.mark.parametrize("script", ["मीरा", "கமலா", "Zoë", "李明月", "Игорь", "a.b_c-9"])
def test_names_are_of_any_script(register, script):
    name = unicodedata.normalize("NFC", f"{script}{secrets.token_hex(3)}")
    assert granted(register(name), REGISTERED)["user"]["username"] == name


def test_the_bounds_of_a_name(register):
    for length in (2, 51, 5000):
        refused(register(secrets.token_hex(2500)[:length]), 400, field="username")
    for length in (3, 50):
        name = secrets.token_hex(25)[:length]
        answer = register(name)
        if answer.status_code != 409:
            assert granted(answer, REGISTERED)["user"]["username"] == name


@pytest.mark.parametrize(
    "name", ["a b c", "abc@d", "a/b/c", "🙂🙂🙂", "abc\0d", "<abc>", "abc\nd", "a'b--", "abc%", "", "   "]
)
def test_names_with_other_signs_are_refused(register, name):
    refused(register(name), 400, field="username")


def test_space_around_a_name_is_trimmed(register):
    name = f"trim-{secrets.token_hex(4)}"
    assert granted(register(f"  {name} "), REGISTERED)["user"]["username"] == name


def test_a_name_is_taken_whatever_its_case(register):
    name = f"Élise-{secrets.token_hex(4)}"
    granted(register(name), REGISTERED)
    decomposed = unicodedata.normalize("NFD", name)
    for again in (name, name.upper(), name.lower(), name.swapcase(), decomposed):
        refused(register(again), 409, "username_taken")


def test_one_of_many_gets_the_name(register):
    name = f"race-{secrets.token_hex(4)}"
    answers = at_once([lambda variant=variant: register(variant) for variant in (name, name.upper()) * 3])
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 5]
    for answer in answers:
        if answer.status_code == 409:
            refused(answer, 409, "username_taken")


@pytest.mark.parametrize("secret", ["12345", "x" * 129, "password", "123456", "qwerty123"])
def test_poor_passwords_are_refused(register, secret):
    name = f"poor-{secrets.token_hex(4)}"
    body = refused(register(name, secret), 400, field="password")
    assert secret not in body["message"] or len(secret) < 6


def test_the_bounds_of_a_password(anyone, boss, register):
    granted(register(f"six-{secrets.token_hex(4)}", secrets.token_hex(3)), REGISTERED)
    name, long = f"long-{secrets.token_hex(4)}", secrets.token_hex(64)
    made = granted(register(name, long), REGISTERED)["user"]
    boss.post(f"/api/admin/users/{made['id']}/approve")
    other = long[:-1] + ("0" if long[-1] != "0" else "1")
    refused(
        anyone.post("/api/auth/login", json={"username": name, "password": other}), 401, "invalid_credentials"
    )
    assert anyone.post("/api/auth/login", json={"username": name, "password": long}).status_code == 200


def test_what_is_missing_is_named(anyone):
    body = refused(anyone.post("/api/auth/register", json={}), 400, field="username")
    assert "password" in body["errors"]


@pytest.mark.parametrize("wrong", [None, True, ["abcdef"], {"a": 1}])
def test_wrong_types_are_refused(anyone, wrong):
    one = {"username": wrong, "password": password()}
    refused(anyone.post("/api/auth/register", json=one), 400, field="username")
    two = {"username": f"type-{secrets.token_hex(4)}", "password": wrong}
    refused(anyone.post("/api/auth/register", json=two), 400, field="password")
