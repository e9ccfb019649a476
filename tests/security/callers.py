"""Callers whom a call must refuse, and the headers that every answer must have."""

import json
from datetime import timedelta
from typing import Any

import jwt
from django.conf import settings
from django.utils import timezone

from accounts.models import SignIn, User
from tests.api.client import ApiClient
from tests.factories.accounts import UserFactory

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def with_token(make: Any) -> ApiClient:
    """An admin whose access token is what `make` makes of its claims."""
    client = ApiClient.admin()
    claims = jwt.decode(client.token, settings.JWT_SECRET, ["HS256"])
    client.token = make(claims)
    return client


def expired(claims: dict[str, Any]) -> str:
    claims["exp"] = claims["iat"] - 3600
    return jwt.encode(claims, settings.JWT_SECRET, "HS256")


def unsigned(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, None, "none")


def signed_by_another(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, "another secret of thirty-two bytes", "HS256")


def refresh_token_as_access() -> ApiClient:
    client = ApiClient.admin()
    assert client.tokens
    client.token = client.tokens.refresh_token
    return client


def ended() -> ApiClient:
    client = ApiClient.admin()
    SignIn.objects.filter(user=client.user).update(ended_at=timezone.now() - timedelta(seconds=1))
    return client


def undecided(**state: Any) -> ApiClient:
    """An admin of whom staff thought again, and whose sign-in is open all the same."""
    client = ApiClient.admin()
    assert client.user
    User.objects.filter(pk=client.user.pk).update(is_approved=False, **state)
    return client


def demoted() -> ApiClient:
    client = ApiClient.admin()
    assert client.user
    User.objects.filter(pk=client.user.pk).update(is_admin=False)
    return client


STRANGERS = {
    "nobody": (ApiClient, "not_authenticated"),
    "no token": (lambda: ApiClient(token="no.such.token"), "invalid_token"),
    "expired": (lambda: with_token(expired), "token_expired"),
    "unsigned": (lambda: with_token(unsigned), "invalid_token"),
    "signed by another": (lambda: with_token(signed_by_another), "invalid_token"),
    "a refresh token": (refresh_token_as_access, "invalid_token"),
    "signed out": (ended, "token_revoked"),
    "pending": (lambda: undecided(reviewed_at=None), "token_revoked"),
    "rejected": (lambda: undecided(rejection_reason="Unknown to us"), "token_revoked"),
}
NO_ADMINS = {
    "a user": ApiClient.approved,
    "an editor": lambda: ApiClient(UserFactory(editor=True)),
    "a demoted admin": demoted,
}


def hardened(response: Any) -> None:
    """Assert that the answer has every security header, sets no cookie and shows nothing of the server."""
    for name, value in HEADERS.items():
        assert response.headers.get(name) == value, name
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert not response.cookies
    text = json.dumps(response.json())
    assert "Traceback" not in text
    assert ".py" not in text
