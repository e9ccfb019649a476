"""Services of sign-ins: beginning one, keeping it up with its refresh token, ending it."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import guard, selectors
from accounts.models import SignIn, State, User
from accounts.tokens import AccessToken, RefreshToken
from gallery_project.errors import Forbidden, NotAuthenticated, NotFound, invalid_field

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
    """What a client holds of a sign-in."""

    sign_in: SignIn

    @property
    def access_token(self) -> str:
        return str(AccessToken.of(self.sign_in))

    @property
    def refresh_token(self) -> str:
        return str(RefreshToken.of(self.sign_in))


def log_in(username: str, password: str, *, address: str, user_agent: str) -> Tokens:
    """Begin a sign-in by name and password.

    Raises TooMany, NotAuthenticated (`invalid_credentials`), or Forbidden (`approval_pending`,
    `approval_rejected`) where the password is right and the account is not approved.
    """
    guard.check_sign_in(address, username)
    user = holder_of(username, password)
    if user is None:
        guard.count_failure(address, username)
        raise InvalidCredentials
    guard.forgive(address, username)
    refuse_unapproved(user)
    return Tokens(begin(user, user_agent))


def holder_of(username: str, password: str) -> User | None:
    """The user with this name and password, whatever his state; as slow for a name that nobody has."""
    user = selectors.user_by_name(username)
    if user is None:
        make_password(password)
        return None
    return user if user.check_password(password) else None


def refuse_unapproved(user: User) -> None:
    if user.state == State.PENDING:
        raise Forbidden("Your account is waiting for approval.", code="approval_pending")
    if user.state == State.REJECTED:
        raise Forbidden("Your account was not approved.", code="approval_rejected")


@transaction.atomic
def begin(user: User, user_agent: str = "") -> SignIn:
    """Store a new sign-in of an approved user, unless his password or approval changed since he was read."""
    now = timezone.now()
    unchanged = User.objects.filter(pk=user.pk, is_approved=True, password=user.password)
    if not unchanged.update(last_login=now):
        raise InvalidCredentials
    user.last_login = now
    return SignIn.objects.create(
        user=user,
        refresh_id=uuid.uuid4().hex,
        user_agent=user_agent[:USER_AGENT_LENGTH],
        expires_at=now + settings.REFRESH_TOKEN_LIFETIME,
    )


def refresh(text: str) -> Tokens:
    """Trade a refresh token for a new pair; one that was traded before ends its whole sign-in.

    Raises NotAuthenticated: `invalid_token`, `token_expired`, `token_revoked` or `token_reused`.
    """
    token = RefreshToken.parse(text)
    now = timezone.now()
    new: dict[str, Any] = {
        "refresh_id": uuid.uuid4().hex,
        "expires_at": now + settings.REFRESH_TOKEN_LIFETIME,
    }
    # One conditional UPDATE decides, so that of two calls at once exactly one wins.
    good = selectors.live_sign_ins(token["user_id"], now).filter(pk=token["sign_in"], refresh_id=token["jti"])
    if not good.update(last_used_at=now, **new):
        refuse_refresh(token)
    # Not only a live one: the loser of such a race may have ended it by now, and this call did succeed.
    sign_in = selectors.with_user(SignIn.objects.filter(pk=token["sign_in"])).first()
    if sign_in is None:
        raise TokenRevoked
    sign_in.refresh_id, sign_in.expires_at = new["refresh_id"], new["expires_at"]
    return Tokens(sign_in)


def refuse_refresh(token: RefreshToken) -> NoReturn:
    """Raise what the refusal is called, and end the sign-in of a token that was traded before."""
    own = SignIn.objects.filter(pk=token["sign_in"], user_id=token["user_id"])
    if not own.exclude(refresh_id=token["jti"]).exists():
        raise TokenRevoked
    end(own)
    raise TokenReused


def end(sign_ins: "selectors.SignIns") -> int:
    """End those that have not ended; their tokens are refused from now on. Answers how many ended."""
    return sign_ins.filter(ended_at=None).update(ended_at=timezone.now())


def end_one(user: User, sign_in_id: int) -> None:
    """End one live sign-in of the user; raises NotFound for any other."""
    live = selectors.live_sign_ins(user.pk, timezone.now())
    if not (selectors.is_stored(sign_in_id) and end(live.filter(pk=sign_in_id))):
        raise NotFound("There is no such sign-in.")


def log_out(sign_in: SignIn, refresh_token: str = "") -> None:
    """End this sign-in, and the one that a refresh token of the same user belongs to.

    A refresh token that is not good (any longer) is nothing to complain of on the way out.
    """
    ids = [sign_in.pk]
    try:
        token = RefreshToken.parse(refresh_token)
    except NotAuthenticated:
        pass
    else:
        ids.append(token["sign_in"])
    end(SignIn.objects.filter(user_id=sign_in.user_id, pk__in=ids))


def change_password(sign_in: SignIn, current: str, new: str, *, address: str) -> None:
    """Set a new password, knowing the old one, and end every other sign-in of the user.

    Raises Invalid on `current_password`, and TooMany after too many wrong ones.
    """
    username = sign_in.user.username
    guard.check_sign_in(address, username)
    user = holder_of(username, current)
    if user is None:
        guard.count_failure(address, username)
        raise invalid_field("current_password", "This is not your current password.")
    guard.forgive(address, username)
    hashed = make_password(new)
    with transaction.atomic():
        same = User.objects.filter(pk=user.pk, password=user.password)
        if not same.update(password=hashed, updated_at=timezone.now()):
            raise invalid_field("current_password", "This is not your current password.")
        end(SignIn.objects.filter(user=user).exclude(pk=sign_in.pk))


def clear(before: datetime) -> int:
    """Delete the sign-ins that ended or expired before then; answers how many."""
    deleted, _ = SignIn.objects.filter(Q(ended_at__lt=before) | Q(expires_at__lt=before)).delete()
    return deleted
