"""The admin's sidebar, by task. Each entry is shown to users with its permission."""

from collections.abc import Callable
from typing import NotRequired, TypedDict

from django.http import HttpRequest
from django.urls import reverse, reverse_lazy
from django.utils.functional import Promise

from console.pending_users import pending_users

QUEUE = "accounts_user_approvals"

Check = Callable[[HttpRequest], bool]


class PendingBadge:
    """The number of pending users, read when the sidebar is rendered: the page may have read it by then."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    def __deepcopy__(self, memo: dict[int, "PendingBadge"]) -> "PendingBadge":
        return self  # unfold copies the whole navigation

    def __bool__(self) -> bool:
        return pending_users(self.request).count > 0

    def __str__(self) -> str:
        return str(pending_users(self.request).count)


class Entry(TypedDict):
    """A link to an admin page; `icon` is a name of Material Symbols."""

    title: str
    icon: str
    link: str | Promise
    permission: NotRequired[Check]
    badge: NotRequired[PendingBadge]
    active: NotRequired[Check]


class Group(TypedDict):
    title: str
    items: list[Entry]


def entry(title: str, icon: str, view: str, permission: str) -> Entry:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{view}"),
        "permission": lambda request: request.user.has_perm(permission),
    }


def is_people_page(request: HttpRequest) -> bool:
    """Whether this is a page of users. The queue's address begins like theirs, but it has its own entry."""
    return request.path.startswith(reverse("admin:accounts_user_changelist")) and not is_queue_page(request)


def is_queue_page(request: HttpRequest) -> bool:
    return request.path == reverse(f"admin:{QUEUE}")


def navigation(request: HttpRequest) -> list[Group]:
    approvals = entry("Approvals", "how_to_reg", QUEUE, "accounts.change_user")
    approvals |= {"badge": PendingBadge(request), "active": is_queue_page}
    people = entry("People", "group", "accounts_user_changelist", "accounts.view_user")
    people |= {"active": is_people_page}
    return [
        {
            "title": "Today",
            "items": [
                {"title": "Dashboard", "icon": "dashboard", "link": reverse_lazy("admin:index")},
                approvals,
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
            "title": "Search",
            "items": [
                entry("Synonyms", "match_word", "designs_synonym_changelist", "designs.view_synonym"),
                entry("Searches", "search_off", "designs_searchcount_changelist", "designs.view_searchcount"),
            ],
        },
        {
            "title": "House",
            "items": [
                people,
                entry("Settings", "tune", "core_appsetting_changelist", "core.change_appsetting"),
                entry("Audit entries", "history", "core_auditentry_changelist", "core.view_auditentry"),
            ],
        },
    ]
