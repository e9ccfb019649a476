"""Sessions of the console: sign-ins of the kind `console`, which every host copies.

console.sessions puts the id of the row into the signed cookie.
"""

import time

from django.conf import settings
from django.utils import timezone

from accounts import selectors, sessions
from accounts.backends import user_with_rights
from accounts.models import SignIn, SignInKind, User
from core import replica
from d1backend import SerializationFailure
from d1backend.replica import on_primary

# Seconds after its beginning in which a session may be missing from the copy of another host, so that D1 is asked.
# After that the copy decides, and a cookie of a session that has ended costs no request to D1.
NEW_SECONDS = 10


def session_begin(user: User, user_agent: str, *, address: str) -> SignIn:
    """Store a session of the console, in one statement.

    Raises SerializationFailure if the user was deleted or rejected, or their password changed, since they were read.
    """
    sign_in = sessions.create_sign_in(user, user_agent, kind=SignInKind.CONSOLE, address=address)
    if sign_in is None:
        raise SerializationFailure("The user who signs in has just changed.")
    return sign_in


def is_open(user_id: int, sign_in_id: int, began: float) -> bool:
    """Return whether the session, which began at that moment (seconds, time.time()), is open."""
    age = time.time() - began
    if age >= settings.SESSION_COOKIE_AGE:
        return False
    live = selectors.live_sign_ins(user_id, SignInKind.CONSOLE).filter(pk=sign_in_id)
    return replica.or_exactly(live.exists) if age < NEW_SECONDS else live.exists()


def session_end(user_id: int, sign_in_id: int) -> None:
    """End the session, if it is open."""
    sessions.sessions_end(SignIn.objects.filter(pk=sign_in_id, user_id=user_id, kind=SignInKind.CONSOLE))


def staff_of(user_id: int, sign_in_id: int) -> User | None:
    """Return the user as D1 has them now, with their rights, in one round trip; None if this session is not open."""
    with on_primary():
        users = selectors.users_without_passwords().filter(
            sign_ins__pk=sign_in_id,
            sign_ins__kind=SignInKind.CONSOLE,
            sign_ins__ended_at=None,
            sign_ins__expires_at__gt=timezone.now(),
        )
        return user_with_rights(users, user_id)
