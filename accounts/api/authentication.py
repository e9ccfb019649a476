"""Authentication by bearer token."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts import selectors
from accounts.models import SignIn, User
from accounts.sessions import TokenRevoked, write_only_while_open
from accounts.tokens import AccessToken, InvalidToken, access_token
from core import replica, sql
from core.errors import NotAuthenticated
from core.logs.current import user_is
from core.spending import READS, spend_as_user
from d1backend import ask_ahead
from d1backend.replica import on_primary

if TYPE_CHECKING:
    # At run time rest_framework.views, which this imports, imports this module for its default authentication.
    from drf_spectacular.openapi import AutoSchema


class BearerAuthentication(BaseAuthentication):
    """`request.user` becomes the User and `request.auth` the SignIn.

    The claims about the user are not trusted: a demoted admin loses their rights at once. Where the replica is older
    than what another host did, D1 refuses the write, and the view runs again with what D1 says of the caller. In a
    view with `write_checks_sign_in` the statement that writes looks the sign-in up itself and rejects a closed one.
    Without a replica nothing else does, so such a view may use no more than the ids of `request.user` and
    `request.auth`.
    """

    def authenticate(self, request: Request) -> tuple[User, SignIn] | None:
        token = token_of(request._request)
        if token is None:
            return None
        by_write = getattr(request.parser_context.get("view"), "write_checks_sign_in", False)
        sign_in = assumed_sign_in(token) if by_write and replica.reads_ask_d1() else sign_in_of(token)
        if sign_in is None:
            raise TokenRevoked
        if not by_write and may_write(request):
            write_only_while_open(sign_in)
        spend_as_user(sign_in.user, request.method)
        user_is(sign_in.user_id)
        return sign_in.user, sign_in

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def may_write(request: Request) -> bool:
    view = request.parser_context.get("view")
    return request.method not in READS or getattr(view, "writes_on_get", False)


def token_of(request: HttpRequest) -> AccessToken | None:
    """Return the request's access token, None if it has none. Raises NotAuthenticated for a bad one.

    Its signature is checked once: the limits ask first, then the view.
    """
    if not hasattr(request, "bearer"):
        try:
            request.bearer = read_token(request)  # type: ignore[attr-defined]
        except NotAuthenticated as error:
            request.bearer = error  # type: ignore[attr-defined]
    bearer: AccessToken | NotAuthenticated | None = request.bearer  # type: ignore[attr-defined]
    if isinstance(bearer, NotAuthenticated):
        raise bearer
    return bearer


def read_token(request: HttpRequest) -> AccessToken | None:
    scheme, *rest = request.META.get("HTTP_AUTHORIZATION", "").split() or [""]
    if scheme.lower() != "bearer":
        return None
    if len(rest) != 1:
        raise InvalidToken
    return access_token(rest[0])


def user_id_of(request: HttpRequest) -> int | None:
    """Return the id of the user whose access token the request carries; None without a good one."""
    try:
        token = token_of(request)
    except NotAuthenticated:
        return None
    return None if token is None else token["user_id"]


def sign_in_of(token: AccessToken) -> SignIn | None:
    """Return the open session of the token, in one query; in two if another host may have just created it."""
    ask = partial(selectors.sign_in, token["user_id"], token["sign_in"])
    sign_in = ask_ahead(ask, partial(assumed_sign_in, token))
    if sign_in is None and replica.may_lack(token["iat"]):
        with on_primary():
            return ask()
    return sign_in


def assumed_sign_in(token: AccessToken) -> SignIn:
    """Return the session as the token describes it, for a read that is prepared while D1 looks it up (ask_ahead)."""
    user = sql.instance_of(
        User,
        DEFAULT_DB_ALIAS,
        id=token["user_id"],
        username=token.get("username", ""),
        is_admin=bool(token.get("is_admin")),
        is_approved=True,
        avatar_object_key="",
        created_at=timezone.now(),
    )
    return SignIn(pk=token["sign_in"], user=user)


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.api.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
