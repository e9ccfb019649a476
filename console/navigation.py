"""The admin's sidebar, by task; an entry shows to those whose permission it asks for."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse, reverse_lazy

from accounts import stats

QUEUE = "accounts_user_approvals"


def may(permission: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.user.has_perm(permission)


def entry(title: str, icon: str, view: str, permission: str, **more: Any) -> dict[str, Any]:
    """A link to an admin page; `icon` is a name of Material Symbols."""
    link = reverse_lazy(f"admin:{view}")
    return {"title": title, "icon": icon, "link": link, "permission": may(permission), **more}


def waiting(request: HttpRequest) -> stats.Waiting:
    """Who waits, asked once a request; a page that asks for more in one trip sets it before."""
    if not hasattr(request, "waiting"):
        request.waiting = stats.waiting()  # type: ignore[attr-defined]
    return request.waiting  # type: ignore[attr-defined]


class Badge:
    """The count of those who wait. It is asked when the page is painted: by then it may be known."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    def __deepcopy__(self, memo: Any) -> "Badge":
        return self  # unfold copies the whole navigation

    def __bool__(self) -> bool:
        return waiting(self.request).count > 0

    def __str__(self) -> str:
        return str(waiting(self.request).count)


def is_of_people(request: HttpRequest) -> bool:
    """The queue lies below the list of people, and has an entry of its own."""
    return request.path.startswith(reverse("admin:accounts_user_changelist")) and not is_queue(request)


def is_queue(request: HttpRequest) -> bool:
    return request.path == reverse(f"admin:{QUEUE}")


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    return [
        {
            "title": "Today",
            "items": [
                {"title": "Dashboard", "icon": "dashboard", "link": reverse_lazy("admin:index")},
                entry(
                    *("Approvals", "how_to_reg", QUEUE, "accounts.change_user"),
                    badge=Badge(request),
                    active=is_queue,
                ),
            ],
        },
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
                entry(
                    *("People", "group", "accounts_user_changelist", "accounts.view_user"),
                    active=is_of_people,
                ),
                entry(
                    *("Settings", "tune", "core_appsetting_changelist"),
                    "core.change_appsetting",
                ),
                entry(
                    *("Audit", "history", "core_auditentry_changelist"),
                    "core.view_auditentry",
                ),
            ],
        },
    ]
