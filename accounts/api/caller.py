"""The caller's session, and what the gallery stores about their device."""

from rest_framework.request import Request

from accounts.models import SignIn


def user_agent_of(request: Request) -> str:
    return request.headers.get("User-Agent", "")


def sign_in_of(request: Request) -> SignIn:
    """Return the session that the request's token belongs to."""
    assert isinstance(request.auth, SignIn)
    return request.auth
