"""The admin's queue of those who wait for a decision, longest waiting first, and deciding about them there."""

from collections.abc import Callable
from contextlib import nullcontext
from itertools import pairwise
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts import selectors, services, stats, validators
from accounts.models import User
from console.core.admin import actor_of
from core.errors import GalleryError
from d1backend.gather import gather

SHOWN = 50  # of those who wait the longest
REASONS = 5  # remembered ones offered
DECIDED = {"approve": "Approved", "reject": "Rejected", "undo": "Waiting again"}


def approvals(admin: Any, request: HttpRequest) -> HttpResponse:
    """GET shows the queue; POST decides about the users it names (`user`) and leads back to the next one."""
    if not admin.has_change_permission(request):
        raise PermissionDenied
    if request.method == "POST":
        return decide(admin, request)
    waiting, count, reasons, decided = gather(
        selectors.pending()[:SHOWN],
        stats.waiting,
        lambda: selectors.remembered_reasons(REASONS),
        lambda: decided_before(request),
    )
    request.waiting = count  # type: ignore[attr-defined]
    for user, following in pairwise([*waiting, None]):
        user.next = following.pk if following else ""
    context = {
        **admin.admin_site.each_context(request),
        "title": "Approvals",
        "media": admin.media,
        "users": waiting,
        "count": count.count,
        "reasons": reasons,
        "reason_length": validators.REASON_LENGTH,
        "decided": decided,
    }
    return TemplateResponse(request, "admin/accounts/user/approvals.html", context)


def decide(admin: Any, request: HttpRequest) -> HttpResponse:
    """All of them or, where one is refused, none."""
    sent = request.POST
    chosen, reason = ids_of(sent), sent.get("reason", "").strip()[: validators.REASON_LENGTH]
    decisions: dict[str, Callable[[User, int], User]] = {
        "approve": services.approve,
        "reject": lambda actor, user_id: services.reject(actor, user_id, reason),
        "undo": services.reopen,
    }
    decision = sent.get("decision", "")
    back = reverse("admin:accounts_user_approvals")
    if decision not in decisions or not chosen:
        admin.message_user(request, "Nobody was chosen.", messages.WARNING)
        return HttpResponseRedirect(back)
    try:
        # One decision is a transaction by itself, and cheaper where none surrounds it.
        with transaction.atomic() if len(chosen) > 1 else nullcontext():
            for user_id in chosen:
                decisions[decision](actor_of(request), user_id)
    except GalleryError as refusal:
        admin.message_user(request, refusal.message, messages.ERROR)
        return HttpResponseRedirect(back)
    told = QueryDict(mutable=True)
    told["decision"] = decision
    told.setlist("user", [str(user_id) for user_id in chosen])
    following = sent.get("next", "")
    place = f"#user-{following}" if following.isdecimal() else ""
    return HttpResponseRedirect(f"{back}?{told.urlencode()}{place}")


def ids_of(sent: QueryDict) -> list[int]:
    """The users that a request names, each once; at most as many as the queue shows."""
    numbers = [
        int(one) for one in sent.getlist("user") if one.isascii() and one.isdecimal() and len(one) < 19
    ]
    return list(dict.fromkeys(numbers))[:SHOWN]


def decided_before(request: HttpRequest) -> dict[str, Any] | None:
    """What the address tells of the decision that led here, for who wants to take it back."""
    decision = request.GET.get("decision", "")
    ids = ids_of(request.GET) if decision in DECIDED else []
    users = list(selectors.known().filter(pk__in=ids).order_by("username_key"))
    if not users:
        return None
    return {"what": DECIDED[decision], "users": users, "can_undo": decision != "undo"}
