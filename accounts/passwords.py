"""What a stored password tells without its digest, and the stored form that a typed one would have.

bcrypt's text is its setting (crypt(5)'s word: algorithm, cost and salt, none of them secret) with the digest
after it. Who has the setting can compute the whole text from the right password, and ask the database whether
it is the one stored, in the very statement that writes: docs/decisions/0004-sign-in-by-the-setting.md.
"""

import re

from django.contrib.auth.hashers import BCryptSHA256PasswordHasher, get_hasher

BCRYPT = re.compile(r"(bcrypt_sha256\$)(\$2b\$\d\d\$[./0-9A-Za-z]{22})([./0-9A-Za-z]{31})?")


def setting_of(stored: str) -> str:
    """The setting of a stored password; empty where it is not bcrypt's."""
    found = BCRYPT.fullmatch(stored)
    return found[1] + found[2] if found else ""


def new_setting() -> str:
    """A setting as the next new password gets; empty where new passwords are not bcrypt's."""
    hasher = get_hasher()
    bcrypt = isinstance(hasher, BCryptSHA256PasswordHasher)
    return f"{hasher.algorithm}${hasher.salt().decode()}" if bcrypt else ""  # type: ignore[attr-defined]


def stored_form(password: str, setting: str) -> str | None:
    """The text that is stored if this is the password.

    None where the setting does not tell, or is of an older cost: such a password is hashed anew when it is
    checked (Django's check_password).
    """
    hasher, found = get_hasher(), BCRYPT.fullmatch(setting)
    if found is None or not isinstance(hasher, BCryptSHA256PasswordHasher) or hasher.must_update(setting):
        return None
    return str(hasher.encode(password, found[2].encode()))  # type: ignore[arg-type]  # the stubs say str
