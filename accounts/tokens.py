"""Access and refresh tokens: JWTs, HS256. Each names its sign-in."""

import time
from functools import lru_cache
from typing import Any, Self

from django.conf import settings
from rest_framework_simplejwt import tokens as simplejwt
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import (
    ExpiredTokenError,
    TokenBackendError,
    TokenBackendExpiredToken,
    TokenError,
)

from accounts.models import SignIn
from accounts.selectors import is_stored
from core.errors import NotAuthenticated
from core.json_types import Json
from core.replica import CLOCKS

ALGORITHM = "HS256"


class InvalidToken(NotAuthenticated):
    code = "invalid_token"
    message = "The token is not valid. Please sign in."


class TokenExpired(NotAuthenticated):
    code = "token_expired"
    message = "The token has expired."


class KeyPair(TokenBackend):
    """Signs with one secret, and verifies with this one and another, which may be empty."""

    def __init__(self, secret: str, previous: str, leeway: float) -> None:
        super().__init__(ALGORITHM, secret, leeway=leeway)
        self.previous = TokenBackend(ALGORITHM, previous, leeway=leeway) if previous else None

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        try:
            return super().decode(token, verify)
        except TokenBackendExpiredToken:
            raise
        except TokenBackendError:
            if self.previous is None:
                raise
            return self.previous.decode(token, verify)


key_pair = lru_cache(KeyPair)


class SignInToken(simplejwt.Token):
    """The claims of both kinds: `user_id` and `sign_in`, integers.

    JWT_SECRET signs them. JWT_SECRET_PREVIOUS verifies them too.
    """

    leeway = 0.0  # seconds by which the clock of another host may be wrong

    @property
    def token_backend(self) -> TokenBackend:
        return key_pair(settings.JWT_SECRET, settings.JWT_SECRET_PREVIOUS, self.leeway)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the token after checking signature, algorithm, type and expiry. Raises NotAuthenticated.

        Only the database knows whether its session is still open.
        """
        try:
            token = cls(text)  # type: ignore[arg-type]  # the stubs know only tokens here
        except ExpiredTokenError:
            raise TokenExpired from None
        except (TokenError, TypeError, ValueError, OverflowError, OSError):
            # simplejwt does not catch what an impossible date raises.
            raise InvalidToken from None
        is_whole = is_id(token.get("user_id")) and is_id(token.get("sign_in")) and is_time(token.get("iat"))
        if not is_whole:
            raise InvalidToken
        return token

    def with_claims_of(self, sign_in: SignIn) -> Self:
        """Write the claims of the sign-in into the token."""
        self["user_id"], self["sign_in"] = sign_in.user_id, sign_in.pk
        return self


class AccessToken(SignInToken, simplejwt.AccessToken):
    leeway = CLOCKS

    @classmethod
    def of(cls, sign_in: SignIn) -> Self:
        token = cls().with_claims_of(sign_in)
        token["username"], token["is_admin"] = sign_in.user.username, sign_in.user.is_admin
        return token


@lru_cache(maxsize=4096)
def checked_access_token(text: str) -> AccessToken:
    return AccessToken.parse(text)


def access_token(text: str) -> AccessToken:
    """Return the token as AccessToken.parse does. Of a cached token only the expiry is checked again."""
    token = checked_access_token(text)
    if token["exp"] <= time.time() - AccessToken.leeway:
        raise TokenExpired
    return token


class RefreshToken(SignInToken):
    token_type = simplejwt.RefreshToken.token_type
    lifetime = simplejwt.RefreshToken.lifetime

    @classmethod
    def of(cls, sign_in: SignIn) -> Self:
        """Return the refresh token of the sign-in, the same text each time."""
        token = cls().with_claims_of(sign_in)
        token["jti"] = sign_in.refresh_id
        token["iat"], token["exp"] = (
            int(moment.timestamp()) for moment in (sign_in.last_used_at, sign_in.expires_at)
        )
        return token


def is_id(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and is_stored(value)


def is_time(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
