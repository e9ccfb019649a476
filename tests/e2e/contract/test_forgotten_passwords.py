"""Who somebody is, as staff see it, and the code that helps them back in."""

import secrets

import pytest

from tests.e2e.contract.calls import at_once
from tests.e2e.contract.shapes import ADMIN_USER, TOKEN, USER, date, filled, granted, page_of, refused

pytestmark = pytest.mark.e2e

CODE = {"code": filled, "expires_at": date}
PASSWORD = "nine yards of silk"


@pytest.fixture
def new_code(boss):
    def make(person):
        return granted(boss.post(f"/api/admin/users/{person.id}/reset-code"), CODE)["code"]

    return make


@pytest.fixture
def reset(anyone):
    def send(username, code, new_password=PASSWORD):
        body = {"username": username, "code": code, "new_password": new_password}
        return anyone.post("/api/auth/reset", json=body)

    return send


def test_a_forgotten_password_is_set_again_by_a_code(boss, anyone, join, new_code, reset):
    person = join()
    code = new_code(person)
    refused(reset(person.username, code, "short"), 400, field="new_password")
    granted(reset(person.username.upper(), code.replace("-", "").lower()))
    refused(person.client.get("/api/auth/me"), 401, "token_revoked")
    granted(anyone.post("/api/auth/login", json=person.sign_in | {"password": PASSWORD}), TOKEN)
    refused(reset(person.username, code), 401, "invalid_code")
    assert code not in boss.get("/api/admin/audit", params={"per_page": 100}).text


def test_a_code_is_void_after_five_wrong_tries(anyone, join, new_code, reset):
    person = join()
    code = new_code(person)
    answers = at_once([lambda: reset(person.username, "AAAA-AAAA-AAAA")] * 6)
    assert {refused(answer, 401, "invalid_code")["message"] for answer in answers} == {
        refused(reset(f"nobody-{secrets.token_hex(4)}", code), 401, "invalid_code")["message"]
    }
    refused(reset(person.username, code), 401, "invalid_code")
    granted(anyone.post("/api/auth/login", json=person.sign_in), TOKEN)


def test_nobody_makes_a_code_for_themselves(boss, reader):
    own = boss.token["user"]["id"]
    refused(boss.post(f"/api/admin/users/{own}/reset-code"), 409, "own_account")
    refused(reader.client.post(f"/api/admin/users/{own}/reset-code"), 403, "forbidden")


def test_staff_find_people_by_name_and_telephone(boss, join):
    person, digits = join(), str(secrets.randbelow(10**9)).zfill(9)
    name = f"Renée {secrets.token_hex(4)}"
    sent = {"full_name": name, "contact": f"+91 ({digits[:4]}) {digits[4:]}"}
    shown = granted(person.client.put("/api/auth/me", json=sent), USER)
    assert {field: shown[field] for field in sent} == sent
    for search in (name.upper().replace("É", "e"), digits, f"{digits[:3]}-{digits[3:]}"):
        page = granted(boss.get("/api/admin/users", params={"search": search}), page_of(ADMIN_USER))
        assert [one["id"] for one in page["items"]] == [person.id]
    assert (
        granted(boss.put(f"/api/admin/users/{person.id}", json={"contact": ""}), ADMIN_USER)["contact"]
        is None
    )
    refused(person.client.put("/api/auth/me", json={"contact": "12345"}), 400, field="contact")
    granted(person.client.get("/api/auth/me"), USER)
