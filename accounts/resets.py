"""Services of reset codes: staff make one, and the user who forgot their password sets a new one by it."""

import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts import guesses, selectors, sessions
from accounts.models import ResetCode, SignIn, User
from core import audit
from core.errors import Conflict, NotAuthenticated
from core.sql import stored_time
from d1backend import ask_with_commit, update_uncounted

# Letters and digits that nobody takes for one another, in print or by ear and hand: 12 of them are 55 random bits.
ALPHABET = "ACDEFGHJKMNPQRTUWXY34679"
GROUPS, GROUP_LENGTH = 3, 4
LIFETIME = timedelta(hours=24)
WRONG_TRIES = 5  # for a name, from anywhere, which void its code

# The key is the user's, so that a new code replaces the last.
STORE = """
    INSERT INTO reset_codes (user_id, code_hash, wrong_tries, expires_at) VALUES (%s, %s, 0, %s)
    ON CONFLICT (user_id) DO UPDATE
    SET code_hash = excluded.code_hash, wrong_tries = 0, expires_at = excluded.expires_at
"""
AUDIT = """
    INSERT INTO audit_entries
        (created_at, actor_id, actor_username, action, object_type, object_id, object_label, changes)
    SELECT %s, id, username, 'user.reset_password', 'user', id, username, '{{"password": ["{hidden}", "{hidden}"]}}'
    FROM users WHERE id IN ({owner})
"""


class InvalidCode(NotAuthenticated):
    code = "invalid_code"
    message = "The username or the code is wrong, or the code has been used or has expired."


@dataclass(frozen=True)
class NewCode:
    """A code, which is stored nowhere, and when it expires."""

    code: str
    expires_at: datetime


def reset_code_create(actor: User, user_id: int) -> NewCode:
    """Make a code for the user, which replaces their last one. Raises NotFound, or Conflict (`own_account`)."""
    user = selectors.user(user_id)
    if user.pk == actor.pk:
        raise Conflict("You cannot do this to your own account.", code="own_account")
    made = NewCode(new_code(), timezone.now() + LIFETIME)
    with transaction.atomic():
        execute(STORE, [user.pk, hash_of(made.code), stored_time(made.expires_at)])
        audit.record(actor, "user.reset_code", user)
    return made


def password_reset(username: str, code: str, new_password: str, *, address: str) -> None:
    """Set a new password by the code, and end every sign-in of the user.

    Takes as long, and asks the database as much, for an unknown name. Raises InvalidCode, or TooMany.
    """
    with guesses.attempt("reset", settings.SIGN_IN_FAILURES, address=address, username=username) as guess:
        if not use_code(username, hashes_of(code), make_password(new_password)):
            guess.fail()
            raise InvalidCode
        guess.succeed()
    sessions.forget_failures(address, username)


def use_code(username: str, hashes: Sequence[str], password: str) -> bool:
    """Store the hashed password if the user's code has one of these hashes. Return whether it has.

    One transaction counts a wrong try or uses the code, so of guesses at one time no more than WRONG_TRIES are checked.
    """
    now = timezone.now()
    named = selectors.users_by_name(username)
    codes = ResetCode.objects.filter(user__in=named, wrong_tries__lt=WRONG_TRIES)
    owner = codes.filter(code_hash__in=hashes, expires_at__gt=now).values("user")
    fields = {"password": password}
    with transaction.atomic():
        update_uncounted(codes.exclude(code_hash__in=hashes), wrong_tries=F("wrong_tries") + 1)
        update_uncounted(SignIn.objects.filter(user__in=owner, ended_at=None), ended_at=now)
        owner_sql, values = owner.query.sql_with_params()
        execute(AUDIT.format(owner=owner_sql, hidden=audit.HIDDEN), [stored_time(now), *values])
        # Last, because with the password the code goes (accounts.triggers).
        update_uncounted(User.objects.filter(pk__in=owner), **fields, **User.derived(fields), updated_at=now)
        is_stored = ask_with_commit(named.filter(password=password).exists)
    return is_stored()


def new_code() -> str:
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))
    return "-".join(groups)


def hash_of(code: str, key: str | None = None) -> str:
    """Return what is stored of a code, the same however it is typed; by default under SECRET_KEY.

    Keyed, so that nobody can find a code by a copy of the database alone.
    """
    return salted_hmac("accounts.reset_code", plain(code), secret=key, algorithm="sha256").hexdigest()


def hashes_of(code: str) -> list[str]:
    """Return what may be stored of a code: one that was made before SECRET_KEY was replaced is still good."""
    return [hash_of(code, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def plain(code: str) -> str:
    """Return the code without what does not count: capitals, spaces, and hyphens and dashes."""
    shown = unicodedata.normalize("NFKC", code).upper()
    return "".join(char for char in shown if not (char.isspace() or unicodedata.category(char) == "Pd"))


def execute(statement: str, values: Sequence[str | int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
