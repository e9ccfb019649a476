"""The gallery's admin site."""

from django.http import HttpRequest
from unfold.sites import UnfoldAdminSite


class GalleryAdminSite(UnfoldAdminSite):
    """Open to approved admins and editors only."""

    site_title = site_header = "Design Gallery"
    index_title = "The gallery today"

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and getattr(request.user, "is_staff", False))
