"""The admin's queue of pending users: decide there about one or several, and undo the last decision."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from itertools import pairwise
from typing import TypedDict

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts import selectors, services, stats, validators
from accounts.models import User
from console.base import GalleryAdmin, actor_of
from console.pending_users import remember_pending_users
from core.errors import GalleryError
from d1backend.gather import gather

QUEUE_LENGTH = 50  # users on the page
REASONS_OFFERED = 5
MAX_DIGITS = 18  # of an id; a longer number does not fit the column
DECIDED = {"approve": "Approved", "reject": "Rejected", "undo": "Pending again"}


class LastDecision(TypedDict):
    """What the page shows of the decision before."""

    label: str
    users: Sequence[User]
    can_undo: bool


def approvals_page(model_admin: GalleryAdmin, request: HttpRequest) -> HttpResponse:
    """GET shows the queue, longest waiting first. POST decides about each `user` it names and returns here."""
    if not model_admin.has_change_permission(request):
        raise PermissionDenied
    if request.method == "POST":
        return decide(model_admin, request)
    users, pending, reasons, decided = gather(
        selectors.pending_users()[:QUEUE_LENGTH],
        stats.waiting,
        lambda: selectors.recent_rejection_reasons(REASONS_OFFERED),
        lambda: last_decision(request.GET),
    )
    selectors.load_details(users)
    remember_pending_users(request, pending)
    context = model_admin.admin_site.each_context(request) | {
        "title": "Approvals",
        "media": model_admin.media,
        "rows": with_next(users),
        "count": pending.count,
        "reasons": reasons,
        "reason_length": validators.REASON_LENGTH,
        "decided": decided,
    }
    return TemplateResponse(request, "admin/accounts/user/approvals.html", context)


def with_next(users: Sequence[User]) -> list[tuple[User, int | str]]:
    """Each user with the id of the one below, to go to after a decision; an empty string for the last."""
    return [(user, following.pk if following else "") for user, following in pairwise([*users, None]) if user]


def decide(model_admin: GalleryAdmin, request: HttpRequest) -> HttpResponse:
    """Take one decision about all the users that the request names, or about none if one of them fails."""
    sent = request.POST
    user_ids, reason = user_ids_of(sent), sent.get("reason", "").strip()[: validators.REASON_LENGTH]
    decisions: dict[str, Callable[[User, int], User]] = {
        "approve": services.user_approve,
        "reject": lambda actor, user_id: services.user_reject(actor, user_id, reason),
        "undo": services.user_reopen,
    }
    decision = sent.get("decision", "")
    queue = reverse("admin:accounts_user_approvals")
    if decision not in decisions or not user_ids:
        model_admin.message_user(request, "No one was selected.", messages.WARNING)
        return HttpResponseRedirect(queue)
    try:
        # A single decision is a transaction already, and cheaper without another one around it.
        with transaction.atomic() if len(user_ids) > 1 else nullcontext():
            for user_id in user_ids:
                decisions[decision](actor_of(request), user_id)
    except GalleryError as error:
        model_admin.message_user(request, error.message, messages.ERROR)
        return HttpResponseRedirect(queue)
    query = QueryDict(mutable=True)
    query["decision"] = decision
    query.setlist("user", [str(user_id) for user_id in user_ids])
    following = sent.get("next", "")
    fragment = f"#user-{following}" if following.isdecimal() else ""
    return HttpResponseRedirect(f"{queue}?{query.urlencode()}{fragment}")


def user_ids_of(sent: QueryDict) -> list[int]:
    """The ids in `user`, each once, at most QUEUE_LENGTH; what is no id is ignored."""
    ids = [
        int(text)
        for text in sent.getlist("user")
        if text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS
    ]
    return list(dict.fromkeys(ids))[:QUEUE_LENGTH]


def last_decision(query: QueryDict) -> LastDecision | None:
    """The decision that redirected here, from the address's query; None if there was none."""
    decision = query.get("decision", "")
    ids = user_ids_of(query) if decision in DECIDED else []
    users = list(selectors.users_without_passwords().filter(pk__in=ids).order_by("username_key"))
    if not users:
        return None
    return {"label": DECIDED[decision], "users": users, "can_undo": decision != "undo"}
