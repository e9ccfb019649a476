"""The console's page on which members of staff see and end their own sessions of the console."""

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts import selectors, sessions
from accounts.models import SignInKind
from console.base import actor_of
from console.sessions import sign_in_id_of
from core.errors import NotFound


@require_safe
def own_sessions(request: HttpRequest) -> HttpResponse:
    context = admin.site.each_context(request) | {
        "title": "Your sessions",
        "sign_ins": selectors.sign_ins_of(actor_of(request), SignInKind.CONSOLE),
        "current": sign_in_id_of(request),
    }
    return TemplateResponse(request, "admin/accounts/user/own_sessions.html", context)


@require_safe
def is_open(request: HttpRequest) -> HttpResponse:
    """204: the session is open. A form asks before it is sent, because the sign-in page would lose what it holds."""
    return HttpResponse(status=204)


@require_POST
def end(request: HttpRequest, sign_in_id: int) -> HttpResponse:
    """End one of the user's own sessions. If it is the current one, the next page asks them to sign in."""
    try:
        sessions.session_end(actor_of(request), sign_in_id, SignInKind.CONSOLE)
    except NotFound:
        messages.error(request, "This session has ended already.")
    else:
        messages.success(request, "The session has ended.")
    return HttpResponseRedirect(reverse("admin:own_sessions"))
