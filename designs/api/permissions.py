"""Who may read the catalogue."""

from rest_framework.request import Request
from rest_framework.views import APIView

from core import app_settings
from core.api.permissions import IsAdmin, IsSignedIn, caller


class IsReader(IsSignedIn):
    """Signed-in users, and anyone while the setting `public_catalogue` is on."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if caller(request) is None and app_settings.get("public_catalogue"):
            return True
        return super().has_permission(request, view)


class IsReaderOrAdmin(IsReader):
    """Readers may read; changing takes an admin."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return super().has_permission(request, view)
        return IsAdmin().has_permission(request, view)
