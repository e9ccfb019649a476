"""The people of a seed: they sign in with their old passwords, and have names that the rule allows."""

import pytest

from accounts.models import User
from designs.models import Design
from tests.api.client import refused
from tests.integration.seed.databases import adopt, hashed, notes, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("version", ["2a", "2b", "2y"])
def test_the_old_password_signs_in_and_is_stored_anew(seed, version):
    seed.user(password_hash=hashed().replace("$2b$", f"${version}$"))
    adopt(seed, apply=True)
    assert User.objects.get().password.startswith(f"bcrypt$${version}$04$")
    refused(sign_in("asha", "wrong"), 401, "invalid_credentials")
    assert sign_in("asha").status_code == 200
    assert User.objects.get().password.startswith("bcrypt_sha256$$2b$12$")
    assert sign_in("asha").status_code == 200
    refused(sign_in("asha", "wrong"), 401, "invalid_credentials")


def test_a_long_password_counts_to_its_72nd_byte_once_and_then_whole(seed):
    long = "six yards of silk, and nine more: " * 3
    seed.user(password_hash=hashed(long, cost=12))
    adopt(seed, apply=True)
    assert sign_in("asha", long).status_code == 200
    refused(sign_in("asha", long + "x"), 401, "invalid_credentials")
    assert sign_in("asha", long).status_code == 200


def test_a_salt_with_unused_bits_works_as_it_did(seed):
    stored = hashed()
    salt_end = stored[28]
    odd = chr(ord(salt_end) + 1)  # the next digit differs in bits that bcrypt does not read
    seed.user(password_hash=f"{stored[:28]}{odd}{stored[29:]}")
    adopt(seed, apply=True)
    assert User.objects.get().password == f"bcrypt${stored}"


def test_a_password_that_is_not_bcrypts_is_gone(seed, tmp_path):
    seed.user("asha", password_hash="plain text")
    seed.user("mira", password_hash=hashed().replace("$04$", "$31$"))
    seed.user("noor", password_hash=hashed().replace("$04$", "$०४$"))  # digits to Python, and none to bcrypt
    found, _ = notes(seed, tmp_path, apply=True)
    for user in User.objects.all():
        assert not user.has_usable_password()
        assert "reset code" in found["users", str(user.pk)][1]
    refused(sign_in("asha", "plain text"), 401, "invalid_credentials")
    refused(sign_in("noor"), 401, "invalid_credentials")


def test_names_that_break_the_rule_or_may_be_confused_are_left_out(seed, tmp_path):
    names = [
        "asha",
        "ASHA",
        "pau1",
        "paul",
        "admin",
        "аdmin",
        "a",
        "two words",
        "x@example.com",
        "deleted-4",
        "",
    ]
    for name in names:
        seed.user(name)
    seed.design()
    for user in range(1, len(names) + 1):
        seed.add("user_favorites", user_id=user, design_id=1)
    found, whole = notes(seed, tmp_path, apply=True)
    assert list(User.objects.values_list("username", flat=True)) == ["asha", "pau1", "admin"]
    assert "may be confused with that of “asha”" in found["users", "2"][1]
    assert "deleted" in found["users", "10"][1]
    assert whole["counts"]["users"] == {"read": 11, "taken": 3, "changed": 0, "left_out": 8}
    assert found["user_favorites", "2"] == ("left out", "the user 2 is not taken, or not there.")
    assert Design.objects.get().like_count == 3


def test_rename_gives_them_names(seed, tmp_path):
    names = [
        "asha",
        "ASHA",
        "Asha ",
        "jo",
        "two words",
        "two-words",
        "x@example.com",
        "deleted-4",
        "",
        "!!",
        "é" * 70,
    ]
    for name in names:
        seed.user(name)
    found, _ = notes(seed, tmp_path, apply=True, rename=True)
    assert list(User.objects.values_list("username", flat=True)) == [
        *("asha", "ASHA-2", "Asha-3", "jo-2", "two-words", "two-words-2", "x-example.com", "deleted-4-2"),
        *("user-9", "user-10", "é" * 40),
    ]
    assert found["users", "6"][1].endswith("They sign in as “two-words-2” now.")
