"""Middleware of the console."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import middleware as auth
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.deprecation import MiddlewareMixin

from accounts import console_sessions
from console.sessions import sign_in_id_of
from core import replica
from core.middleware import is_api
from core.spending import READS, spend_as_staff

CONSOLE = "/admin/"  # gallery_project.urls; to look it up costs each call of the API 20 µs

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class PagesOnly(MiddlewareMixin):
    """Leaves calls of the API alone: they carry a token, and no cookie counts there."""

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request) if is_api(request.path) else super().__call__(request)


class SessionMiddleware(PagesOnly, sessions.SessionMiddleware):
    """Django's, for pages."""


class AuthenticationMiddleware(PagesOnly, auth.AuthenticationMiddleware):
    """Django's, for pages."""


class MessageMiddleware(PagesOnly, messages.MessageMiddleware):
    """Django's, for pages."""


def confirm_changes(get_response: GetResponse) -> GetResponse:
    """Ask D1 who sends a change, in one round trip: the copy of this host may not know yet that their session ended.

    A session that the copy does not know costs no request to D1.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.method not in READS and request.path.startswith(CONSOLE) and replica.is_used():
            sign_in_id = sign_in_id_of(request)
            if sign_in_id is not None and request.user.pk is not None:
                spend_as_staff(request.user)
                staff = console_sessions.staff_of(request.user.pk, sign_in_id)
                request.user = staff or AnonymousUser()
        return get_response(request)

    return middleware


def local_time(get_response: GetResponse) -> GetResponse:
    """Show the console's times in its own time zone."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(CONSOLE):
            return get_response(request)
        with timezone.override(settings.CONSOLE_TIME_ZONE):
            return get_response(request)

    return middleware
