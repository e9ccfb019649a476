"""Refreshing: a refresh token is traded for its successor, and within a grace for the same one again.

The id of a successor follows from that of its token, so calls that race, repeat a lost answer or reach another host
agree on it without storing more than one id: docs/decisions/0021-a-refresh-token-determines-its-successor.md.
"""

import hashlib
from datetime import timedelta
from typing import NoReturn

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError
from django.utils import timezone

from accounts import selectors, throttling
from accounts.models import SignIn, SignInKind, User
from accounts.sessions import TokenRevoked, Tokens, reject_unapproved, sessions_end
from accounts.tokens import RefreshToken
from core.errors import Forbidden, NotAuthenticated
from core.limits import TOO_MANY_ATTEMPTS
from core.sql import stored_time
from d1backend import OutcomeUnknown, write_then_gather
from d1backend.replica import on_primary

ID_LENGTH = 32  # hexadecimal digits, as of the first id of a sign-in

# Of calls with one token the first trades it. The others change nothing.
TRADE = """
    UPDATE sign_ins SET refresh_id = %s, last_used_at = %s, expires_at = %s
    WHERE id = %s AND user_id = %s AND kind = 'api' AND refresh_id = %s AND ended_at IS NULL AND expires_at > %s
    AND EXISTS (SELECT 1 FROM users WHERE id = user_id AND is_approved)
"""


class TokenReused(NotAuthenticated):
    code = "token_reused"
    message = "This refresh token was used before, so its sign-in has been ended. Please sign in again."


def session_refresh(text: str, *, address: str) -> Tokens:
    """Exchange a refresh token for a new pair.

    Used again within settings.REFRESH_GRACE of its first use, before its successor is refreshed, it returns the same
    successor. Used later, it ends the session.
    Raises NotAuthenticated: `invalid_token`, `token_expired`, `token_revoked` or `token_reused`; Forbidden as
    session_begin does if the user is not approved any more; TooMany.
    """
    token = RefreshToken.parse(text)
    rejected = throttling.rejected_refreshes(address)
    rejected.require(TOO_MANY_ATTEMPTS)
    try:
        reject_known_dead(token)
        return trade(token)
    except (NotAuthenticated, Forbidden):
        rejected.add()
        raise


def reject_known_dead(token: RefreshToken) -> None:
    """Raise the reason if this host knows already that the token is dead, without asking D1."""
    if cache.get(replay_key(token)):
        raise TokenReused
    if selectors.is_known_ended(token["user_id"], token["sign_in"], token["iat"]):
        reject_ended(selectors.copied_user(token["user_id"]))


def replay_key(token: RefreshToken) -> str:
    return f"replayed:{token['sign_in']}:{token['jti']}"


def successor_of(refresh_id: str) -> str:
    """Return the id of the refresh token that the one with this id is traded for.

    No secret: whoever knows an id cannot sign a token of it.
    """
    return hashlib.sha256(refresh_id.encode()).hexdigest()[:ID_LENGTH]


def trade(token: RefreshToken) -> Tokens:
    """Store the id of the token's successor, in one round trip.

    Raises as session_refresh does, and OutcomeUnknown where the token may be traded.
    """
    try:
        return trade_once(token)
    except OutcomeUnknown:
        # If it was stored, this is a second use within the grace.
        try:
            return trade_once(token)
        except DatabaseError as error:
            # Not `error` itself, which may say that nothing was done: that is true of the second try alone.
            raise OutcomeUnknown("A refresh token may have been traded: its answer was lost.") from error


def trade_once(token: RefreshToken) -> Tokens:
    now, successor = timezone.now(), successor_of(token["jti"])
    new = [successor, stored_time(now), stored_time(now + settings.REFRESH_TOKEN_LIFETIME)]
    which = [token["sign_in"], token["user_id"], token["jti"], stored_time(now)]
    with on_primary():
        user, sign_in = write_then_gather(
            TRADE,
            [*new, *which],
            selectors.users_without_passwords().filter(pk=token["user_id"]).first,
            SignIn.objects.filter(pk=token["sign_in"], user_id=token["user_id"], kind=SignInKind.API).first,
        )
    if user is None or sign_in is None or not user.is_approved:
        reject_ended(user)
    age = now - sign_in.last_used_at
    is_traded = sign_in.refresh_id == successor and age <= settings.REFRESH_GRACE
    if not is_traded and sign_in.refresh_id != token["jti"]:
        end_stolen(token, sign_in)
    if not is_traded or sign_in.ended_at is not None or sign_in.expires_at <= now:
        raise TokenRevoked
    sign_in.user = user
    # Not below 0: the clock of the host that traded the token may be ahead.
    return Tokens(sign_in, max(age, timedelta(0)))


def end_stolen(token: RefreshToken, sign_in: SignIn) -> NoReturn:
    """End the session of a token that was used twice, and raise TokenReused."""
    if sign_in.ended_at is None:
        sessions_end(SignIn.objects.filter(pk=sign_in.pk))
    cache.set(replay_key(token), True, int(settings.REFRESH_TOKEN_LIFETIME.total_seconds()))
    raise TokenReused


def reject_ended(user: User | None) -> NoReturn:
    """Raise what a sign-in raises if the user is not approved, else TokenRevoked."""
    if user is not None:
        reject_unapproved(user)
    raise TokenRevoked
