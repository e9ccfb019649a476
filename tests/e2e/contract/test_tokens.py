"""Access tokens: what is in them, and every kind that must be refused, on every worker."""

import base64
import json
import time

import jwt
import pytest

from tests.e2e.contract.calls import bearer, everywhere
from tests.e2e.contract.shapes import USER, granted, positive, refused

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def key(server) -> str:
    return (server.data / "jwt-secret").read_text().strip()


@pytest.fixture(scope="module")
def claims(reader) -> dict:
    return jwt.decode(reader.token, options={"verify_signature": False})


@pytest.fixture
def me(anyone):
    return lambda token: anyone.get("/api/auth/me", headers=bearer(token))


def encoded(value) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_what_is_in_an_access_token(reader, key, claims):
    assert jwt.get_unverified_header(reader.token)["alg"] == "HS256"
    jwt.decode(reader.token, key, algorithms=["HS256"])
    assert positive(claims["user_id"])
    assert (claims["user_id"], claims["username"], claims["is_admin"]) == (reader.id, reader.username, False)
    assert claims["exp"] - claims["iat"] == reader.client.token["expires_in"]
    assert abs(claims["iat"] - time.time()) < 600


def test_the_same_claims_signed_with_the_key_are_taken(me, key, claims):
    granted(me(jwt.encode(claims, key, "HS256")), USER)


def test_an_expired_token_is_refused(me, key, claims):
    now = int(time.time())
    for late in (now - 3600, now - 60, 0, -1):
        refused(me(jwt.encode(claims | {"exp": late, "iat": now - 7200}, key, "HS256")), 401)


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("other", ["x" * 64, "", "secret"])
def test_a_token_of_another_key_is_refused(me, claims, other):
    for more in ({}, {"is_admin": True, "user_id": 1}):
        forged = jwt.api_jws.PyJWS(options={"enforce_minimum_key_length": False})
        refused(me(forged.encode(json.dumps(claims | more).encode(), other or "\n", "HS256")), 401)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", None, "HS256"])
def test_a_token_without_a_signature_is_refused(me, claims, algorithm):
    for end in ("", ".", ".e30"):
        refused(me(f"{encoded({'alg': algorithm, 'typ': 'JWT'})}.{encoded(claims)}{end}"), 401)


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_algorithm_with_the_right_key_is_refused(me, key, claims, algorithm):
    refused(me(jwt.encode(claims, key, algorithm)), 401)


def test_changed_claims_under_an_old_signature_are_refused(me, reader, claims):
    head, _, signature = reader.token.split(".")
    for change in ({"is_admin": True}, {"user_id": 1}, {"exp": claims["exp"] + 9}):
        refused(me(f"{head}.{encoded(claims | change)}.{signature}"), 401)


@pytest.mark.parametrize(
    "change",
    [
        {"user_id": 987654321},
        {"user_id": "abc"},
        {"user_id": None},
        {"user_id": [1]},
        {"exp": "soon"},
        {"exp": None},
    ],
    ids=str,
)
def test_claims_that_cannot_be_are_refused(me, key, claims, change):
    made = jwt.api_jws.encode(json.dumps(claims | change).encode(), key, "HS256")
    refused(me(made), 401)


def test_a_token_with_another_users_id_is_refused(me, key, claims, join):
    other = join()
    refused(me(jwt.encode(claims | {"user_id": other.id}, key, "HS256")), 401)


def test_a_refresh_token_is_no_access_token(me, reader):
    refused(me(reader.client.token["refresh_token"]), 401)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Basic YTpi",
        "Token abc",
        "Bearer \u00e9",
        "Bearer " + "x" * 6000,
    ],
)
def test_odd_authorization_headers_are_refused(anyone, header):
    refused(anyone.get("/api/auth/me", headers={"Authorization": header.encode("latin-1")}), 401)


def test_a_token_in_the_query_is_not_taken(anyone, reader):
    refused(anyone.get("/api/auth/me", params={"access_token": reader.token, "token": reader.token}), 401)


@pytest.mark.parametrize("deed", ["reject", "unapprove", "delete"])
def test_losing_the_account_takes_hold_of_live_tokens_on_every_worker(server, boss, anyone, join, deed):
    person = join()
    granted(person.client.get("/api/auth/me"), USER)
    assert everywhere(server.address, person.token) == {200}
    if deed == "reject":
        answer = boss.post(f"/api/admin/users/{person.id}/reject", json={"reason": "gone"})
    elif deed == "unapprove":
        answer = boss.put(f"/api/admin/users/{person.id}", json={"is_approved": False})
    else:
        answer = boss.delete(f"/api/admin/users/{person.id}")
    assert answer.status_code == 200, answer.text
    allowed = {401} if deed == "delete" else {401, 403}
    for path in ("/api/auth/me", "/api/designs"):
        assert everywhere(server.address, person.token, path) <= allowed
    again = anyone.post("/api/auth/refresh", json={"refresh_token": person.client.token["refresh_token"]})
    refused(again, (401, 403))
    refused(anyone.post("/api/auth/login", json=person.sign_in), 401 if deed == "delete" else 403)


def test_a_demoted_admins_live_token_has_no_power_on_any_worker(server, boss, join):
    person = join(is_admin=True)
    assert everywhere(server.address, person.token, "/api/admin/settings") == {200}
    answer = boss.put(f"/api/admin/users/{person.id}", json={"is_admin": False})
    assert answer.status_code == 200, answer.text
    assert everywhere(server.address, person.token, "/api/admin/settings") <= {401, 403}


def test_a_password_set_by_an_admin_ends_the_users_sign_ins(boss, anyone, join):
    person = join()
    fresh = "a brand new passphrase"
    answer = boss.put(f"/api/admin/users/{person.id}", json={"password": fresh})
    assert answer.status_code == 200, answer.text
    refused(anyone.post("/api/auth/login", json=person.sign_in), 401, "invalid_credentials")
    assert anyone.post("/api/auth/login", json=person.sign_in | {"password": fresh}).status_code == 200
