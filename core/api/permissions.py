"""Who may call what. The user of a request is approved: authentication rejects all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from core.errors import NotAuthenticated

if TYPE_CHECKING:
    # At run time rest_framework.views imports this module, as a default permission.
    from rest_framework.views import APIView


def caller(request: Request) -> Any:
    """Return the signed-in user (accounts.User, which core does not import); None if there is none."""
    return request.user


class IsSignedIn(BasePermission):
    """Every signed-in user."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if caller(request) is None:
            raise NotAuthenticated
        return True


class IsAdmin(IsSignedIn):
    """Signed-in users with is_admin."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return super().has_permission(request, view) and bool(caller(request).is_admin)
