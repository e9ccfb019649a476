"""POST /api/auth/register"""

import pytest
from django.test import override_settings

from accounts.models import User
from core import app_settings
from tests.api.client import ApiClient, refused
from tests.factories.accounts import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

PATH = "/api/auth/register"


def register(username="Meera", password=PASSWORD, **more):
    return ApiClient(**more).post(PATH, {"username": username, "password": password})


def test_a_newcomer_registers_and_waits_for_approval():
    response = register(" Meera_1.a-b ")
    body = response.json()
    user = User.objects.get()
    assert response.status_code == 200
    assert body["success"] is True
    assert body["message"].startswith("Registration successful.")
    assert body["user"] == {
        "id": user.pk,
        "username": "Meera_1.a-b",
        "is_admin": False,
        "is_approved": False,
        "created_at": user.created_at.isoformat().replace("+00:00", "Z"),
        "avatar_url": None,
        "full_name": None,
        "contact": None,
    }
    assert user.state == "pending"


def test_the_password_is_stored_as_a_bcrypt_hash(settings):
    settings.PASSWORD_HASHERS = [hasher for hasher in settings.PASSWORD_HASHERS if "MD5" not in hasher]
    register()
    assert User.objects.get().password.startswith("bcrypt_sha256$")


@pytest.mark.parametrize(
    "username", ["मीरा_देवी", "தமிழ்ச்செல்வி", "Zoë", "王小明", "नाम१२", "abc", "a" * 50, "..."]
)
def test_names_of_any_script_are_taken(username):
    assert register(username).json()["user"]["username"] == username


@pytest.mark.parametrize(
    "reserved",
    [
        *("deleted-1", "DELETED-42", "Deleted-007", "ｄｅｌｅｔｅｄ-４２", "deleted-４", "deleted-१२"),
        *("dеlеtеd-42", "DЕLЕTЕD-5", "deIeted-3", "de1eted-3", "deleted-l0", "deleted-O"),
    ],
)
def test_a_name_that_stands_for_somebody_who_left_is_refused(reserved):
    assert set(refused(register(reserved), 400, "invalid")) == {"username"}
    staff, other = ApiClient.admin(), UserFactory()
    renamed = staff.put(f"/api/admin/users/{other.pk}", {"username": reserved})
    assert set(refused(renamed, 400, "invalid")) == {"username"}


@pytest.mark.parametrize(
    "username", ["deleted", "deleted-", "deleted-scenes", "undeleted-1", "deleted-1x", "deleted_1"]
)
def test_a_name_that_only_begins_so_is_taken(username):
    assert register(username).status_code == 200


@pytest.mark.parametrize("taken", ["meera", "MEERA", "Ｍeera", " meera "])
def test_a_name_that_differs_by_case_alone_is_taken(taken):
    UserFactory(username="Meera")
    assert list(refused(register(taken), 409, "username_taken")) == ["username"]
    assert User.objects.count() == 1


@pytest.mark.parametrize("taken", ["аdmin", "АDMIN", "adm\u0456n", "ADMIN"])
def test_a_name_that_may_be_confused_with_another_is_taken(taken):
    UserFactory(username="admin")
    assert list(refused(register(taken), 409, "username_taken")) == ["username"]
    assert User.objects.count() == 1


def test_a_joiner_makes_no_other_name():
    assert register("ශ්‍රී").json()["user"]["username"] == "ශ්‍රී"
    refused(register("ශ්රී"), 409, "username_taken")


def test_cases_beyond_ascii_are_one_name_too():
    UserFactory(username="ÉTOILE")
    refused(register("étoile"), 409, "username_taken")


BAD_NAMES = [
    "",
    "  ",
    "ab",
    "a" * 51,
    "has space",
    "semi;colon",
    "a/b/c",
    "nul\0nul",
    "ab😀",
    "a\u200bbc",
    "a\u200db",
    "abc\u034f",
    "abc\ufe0f",
    "ab\u3164c",
    "ab\u115fc",
    "कि ता",
]


@pytest.mark.parametrize(
    "username", [*BAD_NAMES, "1\u0902\u0902", "\ufdfa\ufdfa\ufdfa", None, 12345, True, ["abc"], {}]
)
def test_a_bad_name_is_named(username):
    assert list(refused(register(username), 400, "invalid")) == ["username"]
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "password", ["", "12345", "x" * 129, "password", "Password", "123456", "nul\0nul", None, 123456789]
)
def test_a_bad_password_is_named(password):
    assert list(refused(register(password=password), 400, "invalid")) == ["password"]
    assert not User.objects.exists()


@pytest.mark.parametrize(("username", "password"), [("ab", "short"), ("a" * 51, "x" * 129)])
def test_a_length_at_fault_is_one_sentence_for_a_person(username, password):
    assert refused(register(username, password), 400, "invalid") == {
        "username": ["A username has 3 to 50 characters."],
        "password": ["A password has 6 to 128 characters."],
    }


def test_every_field_at_fault_is_named_at_once():
    errors = refused(ApiClient().post(PATH, {"extra": 1}), 400, "invalid")
    assert set(errors) == {"username", "password"}


@pytest.mark.parametrize("password", ["      ", "सिल्क साड़ी", " spaces around ", "x" * 128])
def test_a_password_is_kept_to_the_letter(password):
    register(password=password)
    assert User.objects.get().check_password(password)


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "null", '"text"', '{"username": "abc", "password": NaN}', b"\xff\xfe"]
)
def test_what_is_no_json_object_is_refused(body):
    response = ApiClient().post(PATH, body)
    assert response.status_code == 400
    assert response.json()["success"] is False


def test_half_a_character_is_refused():
    refused(ApiClient().post(PATH, '{"username": "ab\\ud800c", "password": "six yards"}'), 400, "invalid")


def test_a_form_is_the_wrong_media_type():
    response = ApiClient().http.post(PATH, {"username": "Meera", "password": PASSWORD})
    refused(response, 415, "unsupported_media_type")


def test_registering_while_closed_is_refused():
    app_settings.settings_update(None, {"registration_open": False})
    refused(register(), 403, "registration_closed")
    assert not User.objects.exists()


def test_a_bad_token_does_not_matter_here():
    assert register(token="stale").status_code == 200


@override_settings(REGISTRATIONS=(2, 60))
def test_one_address_may_register_only_so_often():
    assert [register(f"user{number}").status_code for number in range(3)] == [200, 200, 429]
    refused(register("another"), 429, "too_many_attempts")
    assert User.objects.count() == 2
    assert register("another", address="203.0.113.9").status_code == 200


@override_settings(REGISTRATIONS=(1, 60))
def test_input_that_is_refused_does_not_count_as_a_registration():
    register("x")
    assert register().status_code == 200
