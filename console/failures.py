"""The pages for what is not allowed and for what is not there: inside the console for staff, plain for others."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from accounts.models import User

FORBIDDEN = "You may not open this page."
MISSING = "There is no such page. It may have been deleted, or the address is mistyped."


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    return failure_page(request, 403, "Not allowed", FORBIDDEN)


def missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    return failure_page(request, 404, "Not found", MISSING)


def failure_page(request: HttpRequest, status: int, title: str, sentence: str) -> HttpResponse:
    user = getattr(request, "user", None)  # none if a middleware before the authentication failed
    is_of_console = request.path.startswith(reverse("admin:index"))
    if not (is_of_console and isinstance(user, User) and admin.site.has_permission(request)):
        return render(None, "failure.html", {"sentence": sentence}, status=status)
    context = {
        **admin.site.each_context(request),
        "title": title,
        "sentence": sentence,
        "role": "an admin" if user.is_admin else "an editor",
    }
    return render(request, "admin/failure.html", context, status=status)
