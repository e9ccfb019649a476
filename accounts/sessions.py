"""Services of the API's sessions (rows of SignIn): begin, refresh, end; and what the console's share with them."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts import selectors, throttling
from accounts.models import SignIn, SignInKind, State, User
from accounts.passwords import new_setting, setting_of, stored_form
from accounts.tokens import AccessToken, RefreshToken
from accounts.usernames import username_key
from core import replica
from core.errors import Forbidden, NotAuthenticated, NotFound, invalid_field
from core.sql import stored_time
from d1backend import SerializationFailure, update_or_conflict, update_uncounted, write_only_if

USER_AGENT_LENGTH = 255


class TokenRevoked(NotAuthenticated):
    code = "token_revoked"
    message = "This sign-in has ended. Please sign in again."


class TokenReused(NotAuthenticated):
    code = "token_reused"
    message = "This refresh token was used before, so its sign-in has been ended. Please sign in again."


class InvalidCredentials(NotAuthenticated):
    code = "invalid_credentials"
    message = "The username or the password is wrong."


@dataclass(frozen=True)
class Tokens:
    """The tokens of a sign-in."""

    sign_in: SignIn

    @property
    def access_token(self) -> str:
        return str(AccessToken.of(self.sign_in))

    @property
    def refresh_token(self) -> str:
        return str(RefreshToken.of(self.sign_in))


# Compares the hash in the statement that writes, so a password that has just been changed is rejected.
INSERT = """
    INSERT INTO sign_ins (user_id, kind, refresh_id, user_agent, created_at, last_used_at, expires_at)
    SELECT id, %s, %s, %s, %s, %s, %s FROM users
    WHERE username_key = %s AND password_hash = %s AND is_approved
    RETURNING id, user_id
"""
# Of two concurrent calls exactly one wins.
TRADE = """
    UPDATE sign_ins SET refresh_id = %s, last_used_at = %s, expires_at = %s
    WHERE id = %s AND user_id = %s AND kind = 'api' AND refresh_id = %s AND ended_at IS NULL AND expires_at > %s
    AND EXISTS (SELECT 1 FROM users WHERE id = user_id AND is_approved)
    RETURNING id
"""


def session_begin(username: str, password: str, *, address: str, user_agent: str) -> Tokens:
    """Begin a session by username and password.

    Raises TooMany, NotAuthenticated (`invalid_credentials`), or Forbidden (`approval_pending`,
    `approval_rejected`) if the password is right and the account is not approved.
    """
    throttling.check_sign_in(address, username)
    user, hashed = user_in_replica(username, password)
    sign_in = create_sign_in(user, user_agent, hashed) if user and hashed else None
    if sign_in is None:
        # Wrong, or not approved, or the replica is missing or old: ask the database itself.
        user = user_by_credentials(username, password, hashed)
        if user is None:
            throttling.count_failure(address, username)
            raise InvalidCredentials
        throttling.clear_failures(address, username)
        reject_unapproved(user, address)
        sign_in = create_sign_in(user, user_agent)
        if sign_in is None:
            raise InvalidCredentials
    throttling.clear_failures(address, username)
    return Tokens(sign_in)


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


def user_by_credentials(username: str, password: str, hashed: str | None = None) -> User | None:
    """Return the user with this name and password, in any state. Takes as long for an unknown name.

    `hashed` is the hash of the password by the setting of an earlier read of the row. The password is only hashed
    again if the setting has changed.
    """
    user = selectors.user_by_name(username)
    if user is None:
        if hashed is None:
            make_password(password)
        return None
    if hashed is not None and setting_of(user.password) == setting_of(hashed):
        return user if constant_time_compare(user.password, hashed) else None
    return user if user.check_password(password) else None


def reject_unapproved(user: User, address: str) -> None:
    if not user.is_approved:
        throttling.count_unapproved(address, user.username)
    if user.state == State.PENDING:
        raise Forbidden("Your account is waiting for approval.", code="approval_pending")
    if user.state == State.REJECTED:
        raise Forbidden("Your account was not approved.", code="approval_rejected")


def create_sign_in(
    user: User,
    user_agent: str = "",
    hashed: str | None = None,
    *,
    kind: SignInKind = SignInKind.API,
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
        created_at=now,
        last_used_at=now,
        expires_at=now + lifetime_of(kind),
    )
    at, until = stored_time(now), stored_time(sign_in.expires_at)
    values = [sign_in.kind, sign_in.refresh_id, sign_in.user_agent, at, at, until]
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [*values, user.username_key, hashed or user.password])
        rows = cursor.fetchall()
    if not rows:
        return None
    ((sign_in.pk, sign_in.user_id),) = rows
    user.last_login = now
    return sign_in


def lifetime_of(kind: SignInKind) -> timedelta:
    if kind == SignInKind.API:
        return settings.REFRESH_TOKEN_LIFETIME
    return timedelta(seconds=settings.SESSION_COOKIE_AGE)


def session_refresh(text: str, *, address: str) -> Tokens:
    """Exchange a refresh token for a new pair. Using one twice ends the session.

    Raises NotAuthenticated: `invalid_token`, `token_expired`, `token_revoked` or `token_reused`; TooMany.
    """
    token = RefreshToken.parse(text)
    throttling.check_refresh(address)
    try:
        reject_known_dead(token)
        return trade(token)
    except NotAuthenticated:
        throttling.count_rejected_refresh(address)
        raise


def reject_known_dead(token: RefreshToken) -> None:
    """Raise the reason if this host knows already that the token is dead, without asking D1."""
    if cache.get(replay_key(token)):
        raise TokenReused
    if selectors.is_known_ended(token["user_id"], token["sign_in"], token["iat"]):
        raise TokenRevoked


def replay_key(token: RefreshToken) -> str:
    return f"replayed:{token['sign_in']}:{token['jti']}"


def trade(token: RefreshToken) -> Tokens:
    """Store the id of a new refresh token in place of this one's. Raises NotAuthenticated if another one is stored."""
    now = timezone.now()
    new = SignIn(
        pk=token["sign_in"],
        user_id=token["user_id"],
        refresh_id=uuid.uuid4().hex,
        expires_at=now + settings.REFRESH_TOKEN_LIFETIME,
    )
    values = [new.refresh_id, stored_time(now), stored_time(new.expires_at)]
    with connection.cursor() as cursor:
        cursor.execute(TRADE, [*values, new.pk, new.user_id, token["jti"], stored_time(now)])
        traded = cursor.fetchall()
    if not traded:
        reject_refresh(token)
    try:
        new.user = selectors.user(new.user_id)
    except NotFound:
        raise TokenRevoked from None
    return Tokens(new)


def reject_refresh(token: RefreshToken) -> NoReturn:
    """Raise the reason of the rejection. Ends the session if the token was used before."""
    own = SignIn.objects.filter(pk=token["sign_in"], user_id=token["user_id"])
    # The replica has no sign-in that ended.
    stored = replica.or_exactly(own.values_list("refresh_id", flat=True).first)
    if stored in (None, token["jti"]):
        raise TokenRevoked
    sessions_end(own)
    cache.set(replay_key(token), True, int(settings.REFRESH_TOKEN_LIFETIME.total_seconds()))
    raise TokenReused


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

    Raises Invalid on `current_password`, TooMany after too many wrong ones, and NotAuthenticated
    (`token_revoked`) if the user has just been deleted.
    """
    username = sign_in.user.username
    throttling.check_sign_in(address, username)
    _, hashed = user_in_replica(username, current)
    changed = hashed is not None and replace_password(sign_in, hashed, new)
    if not changed:
        user = user_by_credentials(username, current, hashed)
        changed = user is not None and replace_password(sign_in, user.password, new)
    if not changed:
        if not User.objects.filter(pk=sign_in.user_id).exists():
            raise TokenRevoked
        throttling.count_failure(address, username)
        raise invalid_field("current_password", "This is not your current password.")
    throttling.clear_failures(address, username)


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


def sessions_delete_old(before: datetime) -> int:
    """Delete the sign-ins that ended or expired before then. Return how many."""
    deleted, _ = SignIn.objects.filter(Q(ended_at__lt=before) | Q(expires_at__lt=before)).delete()
    return deleted
