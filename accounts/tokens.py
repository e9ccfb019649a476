"""Access and refresh tokens: JWTs, HS256. Each names its sign-in."""

import time
from functools import lru_cache
from typing import Self

from rest_framework_simplejwt import tokens as simplejwt
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError

from accounts.models import SignIn
from accounts.selectors import is_stored
from core.errors import NotAuthenticated
from core.json_types import Json


class InvalidToken(NotAuthenticated):
    code = "invalid_token"
    message = "The token is not valid. Please sign in."


class TokenExpired(NotAuthenticated):
    code = "token_expired"
    message = "The token has expired."


class SignInToken(simplejwt.Token):
    """The claims of both kinds: `user_id` and `sign_in`, integers."""

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
        if not (is_id(token.get("user_id")) and is_id(token.get("sign_in"))):
            raise InvalidToken
        return token

    def with_claims_of(self, sign_in: SignIn) -> Self:
        """Write the claims of the sign-in into the token."""
        self["user_id"], self["sign_in"] = sign_in.user_id, sign_in.pk
        return self


class AccessToken(SignInToken, simplejwt.AccessToken):
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
    if token["exp"] <= time.time():
        raise TokenExpired
    return token


class RefreshToken(SignInToken):
    token_type = simplejwt.RefreshToken.token_type
    lifetime = simplejwt.RefreshToken.lifetime

    @classmethod
    def of(cls, sign_in: SignIn) -> Self:
        token = cls().with_claims_of(sign_in)
        token["jti"] = sign_in.refresh_id
        token.payload["exp"] = int(sign_in.expires_at.timestamp())
        return token


def is_id(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and is_stored(value)
