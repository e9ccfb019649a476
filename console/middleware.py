"""Middleware of the console."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from accounts import console_sessions
from console.sessions import sign_in_id_of
from core import replica
from core.spending import READS, spend_as_staff

CONSOLE = "/admin/"  # gallery_project.urls; to look it up costs each call of the API 20 µs

GetResponse = Callable[[HttpRequest], HttpResponseBase]


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
