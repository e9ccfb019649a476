"""What is noted of a caller besides who he is: his address and his device."""

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle


def address_of(request: Request | HttpRequest) -> str:
    """The client's address, as far as settings.NUM_PROXIES trusts the proxies before this process."""
    return str(BaseThrottle().get_ident(request)).strip()  # type: ignore[arg-type]  # it reads META alone


def user_agent_of(request: Request) -> str:
    return request.headers.get("User-Agent", "")
