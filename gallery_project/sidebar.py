"""The admin's sidebar, by task; an entry shows to those whose permission it asks for."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse_lazy


def may(permission: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.user.has_perm(permission)


def entry(title: str, icon: str, view: str, permission: str) -> dict[str, Any]:
    """A link to an admin page; `icon` is a name of Material Symbols."""
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{view}"),
        "permission": may(permission),
    }


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    dashboard = {"title": "Dashboard", "icon": "dashboard", "link": reverse_lazy("admin:index")}
    return [
        {"title": "Today", "items": [dashboard]},
        {
            "title": "Catalogue",
            "items": [
                entry("Designs", "apparel", "designs_design_changelist", "designs.view_design"),
                entry("Images", "imagesmode", "uploads_image_changelist", "uploads.view_image"),
            ],
        },
        {
            "title": "House",
            "items": [
                entry("People", "group", "accounts_user_changelist", "accounts.view_user"),
                entry(
                    "Settings",
                    "tune",
                    "gallery_project_appsetting_changelist",
                    "gallery_project.change_appsetting",
                ),
                entry(
                    "Audit",
                    "history",
                    "gallery_project_auditentry_changelist",
                    "gallery_project.view_auditentry",
                ),
            ],
        },
    ]
