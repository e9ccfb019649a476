"""The gallery's admin site."""

from typing import Any

from django.conf import settings
from django.core.paginator import InvalidPage
from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from unfold.sites import UnfoldAdminSite

from accounts.models import User
from console.accounts import own_sessions
from core.spending import spend_as_staff


class GalleryAdminSite(UnfoldAdminSite):
    """Open to approved admins and editors only."""

    site_title = site_header = "Design Gallery"
    index_title = "Dashboard"

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        allowed = bool(user.is_active and getattr(user, "is_staff", False))
        if allowed and isinstance(user, User):
            spend_as_staff(user)
        return allowed

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().each_context(request), "trash_days": settings.TRASH_DAYS}

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """unfold's, which takes any page for one that exists."""
        try:
            return super().search(request, extra_context)
        except InvalidPage:
            raise Http404("There is no such page of results.") from None

    def get_urls(self) -> list[URLPattern | URLResolver]:
        own = [
            path("sessions/", self.admin_view(own_sessions.own_sessions), name="own_sessions"),
            path("sessions/open/", self.admin_view(own_sessions.is_open), name="session_is_open"),
            path("sessions/<int:sign_in_id>/end/", self.admin_view(own_sessions.end), name="end_own_session"),
        ]
        return own + super().get_urls()
