"""Services of the API's sessions (rows of SignIn): begin, end; and what the console's share with them.

accounts.refresh has the refresh.
"""

import logging
import uuid
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts import guesses, selectors, throttling
from accounts.guesses import Guess
from accounts.models import SignIn, SignInKind, State, User
from accounts.passwords import is_current, new_setting, setting_of, stored_form
from accounts.tokens import AccessToken, RefreshToken
from accounts.usernames import username_key
from core import limits
from core.client_address import mark_of, network_of
from core.errors import Forbidden, NotAuthenticated, NotFound
from core.limits import TOO_MANY_ATTEMPTS
from core.sql import stored_time
from d1backend import SerializationFailure, update_or_conflict, update_uncounted, write_only_if

logger = logging.getLogger(__name__)

USER_AGENT_LENGTH = 255


class TokenRevoked(NotAuthenticated):
    code = "token_revoked"
    message = "This sign-in has ended. Please sign in again."


class InvalidCredentials(NotAuthenticated):
    code = "invalid_credentials"
    message = "The username or the password is wrong."


class ApprovalPending(Forbidden):
    code = "approval_pending"
    message = "Your account is waiting for approval."


class ApprovalRejected(Forbidden):
    code = "approval_rejected"
    message = "Your account was not approved."


@dataclass(frozen=True)
class Tokens:
    """The tokens of a sign-in, which were first given so long ago."""

    sign_in: SignIn
    age: timedelta = timedelta(0)

    @property
    def access_token(self) -> str:
        return str(AccessToken.of(self.sign_in))

    @property
    def refresh_token(self) -> str:
        return str(RefreshToken.of(self.sign_in))

    @property
    def refresh_expires_in(self) -> int:
        """The seconds until the refresh token expires."""
        return int((self.sign_in.expires_at - self.sign_in.last_used_at - self.age).total_seconds())


# Compares the hash in the statement that writes, so a password that has just been changed is rejected.
INSERT = f"""
    INSERT INTO sign_ins (user_id, kind, refresh_id, user_agent, network, created_at, last_used_at, expires_at)
    SELECT id, %s, %s, %s, %s, %s, %s, %s FROM users
    WHERE username_key = %s AND password_hash = %s AND is_approved
    RETURNING id, user_id, {selectors.DETAILS_OF_SIGN_IN}
"""  # noqa: S608 – made of constants


def session_begin(username: str, password: str, *, address: str, user_agent: str) -> Tokens:
    """Begin a session by username and password.

    Raises TooMany, NotAuthenticated (`invalid_credentials`), or Forbidden (`approval_pending`,
    `approval_rejected`) if the password is right and the account is not approved.
    """
    throttling.unapproved_sign_ins(address, username).require(TOO_MANY_ATTEMPTS)
    with attempt(address, username) as guess:
        of_right_ones = throttling.sign_ins(address, username)
        limits.take(of_right_ones, code=TOO_MANY_ATTEMPTS)
        user, hashed = user_in_replica(username, password)
        sign_in = create_sign_in(user, user_agent, hashed, address=address) if user and hashed else None
        if sign_in is not None and hashed is not None:
            renew_hash(sign_in.user_id, hashed, password)
        if sign_in is None:
            # Wrong, or not approved, or the replica is missing or old: ask the database itself.
            user = user_by_credentials(username, password, hashed, guess)
            if user is None:
                of_right_ones.give_back()
                guess.fail()
                raise InvalidCredentials
            if not user.is_approved:
                guess.succeed()
                limits.take(throttling.unapproved_sign_ins(address, user.username), code=TOO_MANY_ATTEMPTS)
                reject_unapproved(user)
            sign_in = create_sign_in(user, user_agent, address=address)
            if sign_in is None:
                raise InvalidCredentials
        guess.succeed()
    return Tokens(sign_in)


def attempt(address: str, username: str) -> AbstractContextManager[Guess]:
    """Count a guess at a password (accounts.guesses.attempt). Raises TooMany (`too_many_attempts`)."""
    return guesses.attempt("sign-in", settings.SIGN_IN_FAILURES, address=address, username=username)


def forget_failures(address: str, username: str) -> None:
    """Forget the failures of this name from this network, after another proof of who it is."""
    guesses.forget("sign-in", settings.SIGN_IN_FAILURES, address=address, username=username)


def user_in_replica(username: str, password: str) -> tuple[User | None, str | None]:
    """Return the user of the name in the replica, and the hash that is stored if this is their password.

    Returns an unsaved User for an unknown name, which takes as long as a known one. The hash is None if the replica
    cannot give it.
    """
    users = selectors.users_in_replica()
    if users is None:
        return None, None
    user = users.filter(username_key=username_key(username.strip())).first()
    user = user or User(username_key=username_key(username.strip()), password_setting=new_setting())
    return user, stored_form(password, user.password_setting)


def user_by_credentials(username: str, password: str, hashed: str | None, guess: Guess) -> User | None:
    """Return the user with this name and password, in any state. Takes as long for an unknown name.

    `hashed` is the hash of the password by the setting of an earlier read of the row. The password is only hashed
    again if the setting has changed.
    """
    user = guess.asking(lambda: selectors.user_by_name(username))
    if user is None:
        if hashed is None:
            make_password(password)
        return None
    if hashed is not None and setting_of(user.password) == setting_of(hashed):
        return user if constant_time_compare(user.password, hashed) else None
    return user if user.check_password(password) else None


def renew_hash(user_id: int, hashed: str, password: str) -> None:
    """Store a password that has just proved right by today's hasher, if its hash is of another one.

    It is done once, in a call of its own: to hash it before the database has said that it is right would take longer
    for the accounts that another service had than for unknown names. If it fails, the next sign-in does it.
    """
    if is_current(hashed):
        return
    fields = {"password": make_password(password)}
    same = User.objects.filter(pk=user_id, password=hashed)
    try:
        update_uncounted(same, **fields, **User.derived(fields))
    except DatabaseError:
        logger.warning("the password of user %d is still stored as another service had it", user_id)


def reject_unapproved(user: User) -> None:
    """Raise Forbidden (`approval_pending`, `approval_rejected`) unless the user is approved."""
    if user.state == State.PENDING:
        raise ApprovalPending
    if user.state == State.REJECTED:
        raise ApprovalRejected(extra={"rejection_reason": user.rejection_reason or None})


def create_sign_in(
    user: User,
    user_agent: str = "",
    hashed: str | None = None,
    *,
    kind: SignInKind = SignInKind.API,
    address: str = "",
) -> SignIn | None:
    """Store a new sign-in of the user, in one statement.

    Returns None unless the user is approved and `hashed` (default: the hash that was read) is that of their password.
    """
    now = timezone.now()
    sign_in = SignIn(
        user=user,
        kind=kind,
        refresh_id=uuid.uuid4().hex if kind == SignInKind.API else "",
        user_agent=user_agent[:USER_AGENT_LENGTH],
        network=mark_of(network_of(address)),
        created_at=now,
        last_used_at=now,
        expires_at=now + lifetime_of(kind),
    )
    at, until = stored_time(now), stored_time(sign_in.expires_at)
    values = [sign_in.kind, sign_in.refresh_id, sign_in.user_agent, sign_in.network, at, at, until]
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [*values, user.username_key, hashed or user.password])
        rows = cursor.fetchall()
    if not rows:
        return None
    ((sign_in.pk, sign_in.user_id, *details),) = rows
    selectors.Details(*details).put_on(user)
    user.last_login = now
    return sign_in


def lifetime_of(kind: SignInKind) -> timedelta:
    if kind == SignInKind.API:
        return settings.REFRESH_TOKEN_LIFETIME
    return timedelta(seconds=settings.SESSION_COOKIE_AGE)


def write_only_while_open(sign_in: SignIn) -> None:
    """Let D1 refuse what this request writes once the sign-in has ended, or its user has lost or gained a role.

    Their copy of the sign-ins may be older than what another host did.
    """
    now = stored_time(timezone.now())
    who = (sign_in.pk, sign_in.user_id, now, sign_in.user.is_admin)
    write_only_if(selectors.SAME_SIGN_IN, who, "the sign-in of the caller")


def sessions_end(sign_ins: "selectors.SignIns") -> int:
    """End the open ones, whose tokens are then rejected. Return how many ended."""
    return sign_ins.filter(ended_at=None).update(ended_at=timezone.now())


def session_end(user: User, sign_in_id: int, kind: SignInKind) -> None:
    """End one open session of the user and of that kind. Raises NotFound for any other."""
    live = selectors.live_sign_ins(user.pk, kind, timezone.now())
    if not (selectors.is_stored(sign_in_id) and sessions_end(live.filter(pk=sign_in_id))):
        raise NotFound("There is no such sign-in.")


def session_log_out(sign_in: SignIn, refresh_token: str = "") -> None:
    """End this session, and that of a refresh token of the same user.

    Ignores a refresh token that is not valid.
    """
    ids = [sign_in.pk]
    try:
        token = RefreshToken.parse(refresh_token)
    except NotAuthenticated:
        pass
    else:
        ids.append(token["sign_in"])
    sessions_end(SignIn.objects.filter(user_id=sign_in.user_id, pk__in=ids))


def password_change(sign_in: SignIn, current: str, new: str, *, address: str) -> None:
    """Set a new password, given the current one, and end every other session of the user.

    Raises Forbidden (`wrong_password`), TooMany after too many wrong ones, and NotAuthenticated (`token_revoked`) if
    the user has just been deleted.
    """
    username = sign_in.user.username
    with attempt(address, username) as guess:
        _, hashed = user_in_replica(username, current)
        changed = hashed is not None and replace_password(sign_in, hashed, new)
        if not changed:
            user = user_by_credentials(username, current, hashed, guess)
            changed = user is not None and replace_password(sign_in, user.password, new)
        if not changed:
            if not User.objects.filter(pk=sign_in.user_id).exists():
                raise TokenRevoked
            guess.fail()
            sentence = "This is not your current password."
            raise Forbidden(sentence, code="wrong_password", fields={"current_password": [sentence]})
        guess.succeed()


def replace_password(sign_in: SignIn, hashed: str, new: str) -> bool:
    """Set the password and end the user's other sessions, unless another hash is stored. Return whether it was set."""
    fields = {"password": make_password(new)}
    same = User.objects.filter(pk=sign_in.user_id, password=hashed)
    others = SignIn.objects.filter(user_id=sign_in.user_id, ended_at=None).exclude(pk=sign_in.pk)
    try:
        with transaction.atomic():
            update_or_conflict(same, **fields, **User.derived(fields), updated_at=timezone.now())
            update_uncounted(others, ended_at=timezone.now())
    except SerializationFailure:
        return False
    return True
