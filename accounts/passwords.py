"""The setting of a stored password, and the stored form of a typed one.

bcrypt's text is its setting (crypt(5)'s word: algorithm, cost and salt, none of them secret) followed by
the digest. With the setting and the right password one can compute the whole text, and compare it in the database,
in the statement that writes: docs/decisions/0004-sign-in-by-the-setting.md.
"""

import re

from django.contrib.auth.hashers import (
    BasePasswordHasher,
    BCryptSHA256PasswordHasher,
    get_hasher,
    get_hashers_by_algorithm,
)

# bcrypt_sha256 is this project's; bcrypt alone is that of accounts.hashers, in any of its versions.
BCRYPT = re.compile(
    r"(bcrypt_sha256\$(?=\$2b)|bcrypt\$)(\$2[aby]\$\d\d\$[./0-9A-Za-z]{22})([./0-9A-Za-z]{31})?"
)


def setting_of(stored: str) -> str:
    """Return the setting of a stored password; empty if it is not bcrypt's."""
    found = BCRYPT.fullmatch(stored)
    return found[1] + found[2] if found else ""


def new_setting() -> str:
    """Return a new setting; empty if new passwords do not use bcrypt."""
    hasher = get_hasher()
    bcrypt = isinstance(hasher, BCryptSHA256PasswordHasher)
    return f"{hasher.algorithm}${hasher.salt().decode()}" if bcrypt else ""  # type: ignore[attr-defined]


def stored_form(password: str, setting: str) -> str | None:
    """Return the text that is stored for this password.

    None if the setting is not bcrypt's or has an older cost: Django's check_password then hashes the password again.
    """
    found = BCRYPT.fullmatch(setting)
    hasher = bcrypt_hasher(found[1].rstrip("$")) if found else None
    if found is None or hasher is None or hasher.must_update(setting):
        return None
    return str(hasher.encode(password, found[2].encode()))  # type: ignore[arg-type]  # the stubs say str


def bcrypt_hasher(algorithm: str) -> BasePasswordHasher | None:
    """Return the hasher of that algorithm, if PASSWORD_HASHERS has it and begins with one of bcrypt's."""
    if not isinstance(get_hasher(), BCryptSHA256PasswordHasher):
        return None
    return get_hashers_by_algorithm().get(algorithm)


def is_current(stored: str) -> bool:
    """Whether this is what a new password would be stored by. Another one is replaced at the next sign-in."""
    return stored.startswith(f"{get_hasher().algorithm}$")
