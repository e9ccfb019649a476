"""full_name and contact: registration, PUT /api/auth/me, PUT /api/admin/users/{id}, and the search of staff."""

from pathlib import Path

import jwt
import pytest

from accounts.models import User
from core import replica
from core.models import AuditEntry
from tests.api.client import ApiClient, refused
from tests.factories.accounts import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

ME, USERS = "/api/auth/me", "/api/admin/users"
MEERA = {"full_name": "Meera Devi", "contact": "+91 (98765) 43-210"}
EMPTY = {"full_name": None, "contact": None}
FIELDS = ["full_name", "contact"]


def details_in(body):
    return {name: body[name] for name in FIELDS}


def details_of(user):
    user.refresh_from_db()
    return {name: getattr(user, name) or None for name in FIELDS}


def register(**more):
    return ApiClient().post("/api/auth/register", {"username": "meera", "password": PASSWORD, **more})


def own(sent):
    client = ApiClient(UserFactory(**MEERA))
    return client.put(ME, sent), client.user


def by_staff(sent):
    user = UserFactory(**MEERA)
    return ApiClient.admin().put(f"{USERS}/{user.pk}", sent), user


def registered(sent):
    response = register(**sent)
    return response, User.objects.filter(username="meera").first()


EDITS = pytest.mark.parametrize("edit", [own, by_staff])
WRITES = pytest.mark.parametrize("write", [registered, own, by_staff])


@WRITES
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("full_name", "Meera O'Neill-Devi <b>"),
        ("full_name", "देवी ශ්‍රී தமிழ் 王"),
        ("full_name", "x" * 100),
        ("contact", "meera@example.com"),
        ("contact", "मीरा@उदाहरण.भारत"),
        ("contact", f"{'m' * 60}@{'e' * 60}.{'x' * 60}.example"),
        ("contact", "123456"),
        ("contact", "(+91) 98765-43.210"),
        ("contact", "+1 234 567 890 123 45"),
        ("contact", "९८७६५४३२१०"),
    ],
)
def test_are_kept_as_typed_without_spaces_around(write, field, value):
    response, user = write({field: f"  {value} "})
    assert response.status_code == 200, response.json()
    body = response.json()
    assert body.get("user", body)[field] == value
    assert details_of(user)[field] == value


@WRITES
@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("full_name", f"Meera{control}Devi") for control in "\n\r\t\0\x1b\x7f\x85\u2028\u2029\u202e\u2066"],
        *[("contact", f"98765{control}43210") for control in "\n\t\0\u2028"],
        ("full_name", "x" * 101),
        ("full_name", 5),
        ("full_name", ["Meera"]),
        ("full_name", True),
        ("contact", 9876543210),
        ("contact", {}),
        ("contact", "12345"),
        ("contact", "1234567890123456"),
        ("contact", "call me"),
        ("contact", "98765 43210 ext. 5"),
        ("contact", "91+98765"),
        ("contact", "()-. +"),
        ("contact", "meera@"),
        ("contact", "@example.com"),
        ("contact", "meera devi@example.com"),
        ("contact", "meera@example.com, asha@example.com"),
        ("contact", f"{'m' * 190}@example.com"),
    ],
)
def test_a_bad_one_is_named_and_nothing_changes(write, field, value):
    before = MEERA if write is not registered else None
    response, user = write({"full_name": "Another", "contact": "another@example.com", field: value})
    assert list(refused(response, 400, "invalid")) == [field]
    assert (details_of(user) if user else None) == before


@EDITS
@pytest.mark.parametrize("nothing", [None, "", "   "])
def test_nothing_removes_them(edit, nothing):
    response, user = edit(dict.fromkeys(FIELDS, nothing))
    assert details_in(response.json()) == EMPTY == details_of(user)


def test_newcomers_without_them_have_none():
    for sent in ({}, {"full_name": "", "contact": None}):
        User.objects.all().delete()
        assert details_in(register(**sent).json()["user"]) == EMPTY


@EDITS
def test_a_change_leaves_what_it_does_not_speak_of(edit):
    response, user = edit({"contact": "meera@example.com"})
    assert details_in(response.json()) == details_of(user) == MEERA | {"contact": "meera@example.com"}
    response, user = edit({"unknown": 1})
    assert details_in(response.json()) == details_of(user) == MEERA


def test_a_bad_avatar_changes_nothing_else():
    response, user = own({"full_name": "Another", "avatar_object_key": "avatars/2026/01/1_others.webp"})
    assert list(refused(response, 400, "invalid")) == ["avatar_object_key"]
    assert details_of(user) == MEERA


def test_a_taken_name_changes_nothing_else():
    UserFactory(username="asha")
    response, user = by_staff({"full_name": "Another", "username": "Asha"})
    refused(response, 409, "username_taken")
    assert details_of(user) == MEERA


def test_contacts_need_not_be_unique():
    UserFactory(**MEERA)
    assert register(**MEERA).status_code == 200


class TestWhoSeesThem:
    def test_oneself(self):
        user = UserFactory(**MEERA)
        client = ApiClient(user)
        answers = [
            client.get(ME).json(),
            client.put(ME, {}).json(),
            ApiClient()
            .post("/api/auth/login", {"username": user.username, "password": PASSWORD})
            .json()["user"],
            client.post("/api/auth/refresh", {"refresh_token": client.tokens.refresh_token}).json()["user"],
        ]
        assert [details_in(body) for body in answers] == [MEERA] * 4

    def test_admins(self):
        user, admin = UserFactory(pending=True, **MEERA), ApiClient.admin()
        path = f"{USERS}/{user.pk}"
        answers = [
            admin.get(path).json(),
            *admin.get(USERS, state="pending").json()["items"],
            *admin.get(f"{USERS}/pending").json()["items"],
            *admin.get(USERS, search="devi").json()["items"],
            admin.post(f"{path}/approve").json()["user"],
            admin.post(f"{path}/approve").json()["user"],
            admin.post(f"{path}/reject").json()["user"],
            admin.put(path, {"username": "somebody.else"}).json(),
        ]
        assert [details_in(body) for body in answers] == [MEERA] * 8

    def test_neither_token_holds_them(self):
        client = ApiClient(UserFactory(**MEERA))
        for token in (client.tokens.access_token, client.tokens.refresh_token):
            claims = jwt.decode(token, options={"verify_signature": False})
            assert not set(FIELDS) & claims.keys()
            assert "Meera" not in str(claims)

    def test_the_audit_trail_does_not_but_knows_of_the_change(self, caplog):
        caplog.set_level(0)
        by_staff(MEERA | {"username": "somebody.else"})
        by_staff({"contact": "secret@example.com"})
        named, unnamed = AuditEntry.objects.order_by("pk")
        assert (named.action, set(named.changes)) == ("user.update", {"username"})
        assert (unnamed.action, unnamed.changes) == ("user.update", {})
        kept = [*AuditEntry.objects.values_list(), *[record.getMessage() for record in caplog.records]]
        assert not [line for line in kept for text in ("Meera", "43-210", "secret@") if text in str(line)]


@pytest.mark.skipif(not replica.is_used(), reason="only D1 has copies (TEST_ENGINE=d1)")
@pytest.mark.django_db(transaction=True)
def test_no_copy_holds_them(settings):
    client = ApiClient(UserFactory(full_name="Meera Nowhere", contact="nowhere@example.com"))
    client.put(ME, {"full_name": "Mira Nowhere", "contact": "+91 77777 00001"})
    assert client.get("/api/designs").status_code == 200
    files = [file for file in Path(settings.DATABASES["replica"]["NAME"]).rglob("*") if file.is_file()]
    content = b"".join(file.read_bytes() for file in files).lower()
    assert client.user.username.encode() in content
    for text in (b"nowhere", b"77777 00001", b"917777700001"):
        assert text not in content


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("MEERA", ["first"]),
        ("meera  de", ["first"]),
        ("renee", ["second"]),
        ("RENÉE", ["second"]),
        ("αθηνα", ["second"]),
        ("कि\u200dता", ["third"]),
        ("बडा", ["third"]),
        ("कता", []),
        ("98765 43210", ["first"]),
        ("9876543210", ["first"]),
        ("+91-98765", ["first"]),
        ("९८७६५", ["first"]),
        ("(98", ["first"]),
        ("Tisserand12@EXAMPLE", ["second"]),
        ("tisserand1", ["second"]),
        ("12.34", ["third"]),
        ("1-2", ["third"]),
        ("+", []),
        ("%", []),
        ("'; DROP", []),
    ],
)
def test_staff_find_people_by_them(search, found):
    UserFactory(username="first", **MEERA)
    UserFactory(username="second", full_name="Renée Αθήνα", contact="tisserand12@example.com")
    UserFactory(username="third", full_name="किता बड़ा", contact="12 34 56")
    items = (
        ApiClient(UserFactory(username="boss", admin=True)).get(USERS, search=search, sort="username").json()
    )
    assert [item["username"] for item in items["items"]] == found
    assert items["total"] == len(found)


def test_what_staff_find_follows_a_change():
    user = UserFactory(username="first", **MEERA)
    client, admin = ApiClient(user), ApiClient.admin()
    client.put(ME, {"full_name": "Asha", "contact": "asha@example.com"})
    assert admin.get(USERS, search="meera").json()["total"] == 0
    assert admin.get(USERS, search="43210").json()["total"] == 0
    assert admin.get(USERS, search="asha@").json()["total"] == 1
    admin.put(f"{USERS}/{user.pk}", {"full_name": "Usha"})
    assert admin.get(USERS, search="usha").json()["total"] == 1
