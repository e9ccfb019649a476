"""For whom a request spends calls to D1. The classes and their parts: d1backend/protocol/budget.py.

A request begins as anyone's, on the account of its address. Authentication then names the user.
"""

from collections.abc import Callable

from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from core.client_address import client_address, network_of
from d1backend.protocol.budget import Spender, spend_as, spending

READS = ("GET", "HEAD", "OPTIONS")


def spending_by_address(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Let the calls of a request count for its address until its user is known."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        with spending(Spender.REST, f"address {network_of(client_address(request))}"):
            return get_response(request)

    return middleware


def spend_as_user(user: AbstractBaseUser, method: str | None) -> None:
    """Let the calls of this request to the API count for a signed-in user."""
    spend_as(Spender.REST if method in READS else Spender.WRITE, f"user {user.pk}")


def spend_as_staff(user: AbstractBaseUser) -> None:
    """Let the calls of this request to the console count for a member of the staff."""
    spend_as(Spender.STAFF, f"user {user.pk}")
