"""The admin's queue of pending users: decide there about one or several, and undo one's own decisions."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts import selectors, services, stats, validators
from accounts.decisions import Basis, DecidedMeanwhile, decision_sentence
from accounts.models import State, User
from console.base import GalleryAdmin, actor_of, error_as_json
from console.pending_users import remember_pending_users
from core.errors import GalleryError
from d1backend import gather

QUEUE_LENGTH = 50  # users on the page
REASONS_OFFERED = 5
MAX_DIGITS = 18  # of an id; a longer number does not fit the column
DECIDED = {"approve": "Approved", "reject": "Rejected", "undo": "Pending again"}
STATES = {"approve": State.APPROVED, "reject": State.REJECTED, "undo": State.PENDING}
LABELS = {State.APPROVED: "Approved", State.REJECTED: "Rejected"}
JSON = "application/json"  # what the page's script accepts

Context = dict[str, Any]


@dataclass(frozen=True)
class Decision:
    """A decision about one user or several, as the page shows it. `decided_at` is None if it cannot be undone."""

    label: str
    users: Sequence[User]
    decided_at: datetime | None = None


@dataclass(frozen=True)
class Sent:
    """What the page sends: a decision about users, and what the actor saw of those who do not simply wait."""

    decision: str
    user_ids: list[int]
    reason: str
    following: str
    seen: dict[int, State]
    decided_at: datetime | None

    @classmethod
    def of(cls, sent: QueryDict) -> "Sent":
        following = sent.get("next", "")
        return cls(
            decision=sent.get("decision", ""),
            user_ids=user_ids_of(sent),
            reason=sent.get("reason", "").strip()[: validators.REASON_LENGTH],
            following=following if following.isdecimal() else "",
            seen=seen_states(sent.getlist("seen")),
            decided_at=moment_of(sent.get("decided_at", "")),
        )


def approvals_page(model_admin: GalleryAdmin, request: HttpRequest) -> HttpResponse:
    """GET shows the queue, longest waiting first. POST decides about each `user` it names and returns here.

    The page's script gets JSON instead: what was decided, or 409 with what a colleague has decided since.
    """
    if not model_admin.has_change_permission(request):
        raise PermissionDenied
    if request.method == "POST":
        return decide(model_admin, request)
    return queue_page(model_admin, request)


def queue_page(model_admin: GalleryAdmin, request: HttpRequest, **more: Any) -> HttpResponse:
    """The queue, with the users that were put back to it just now, wherever they are in it."""
    actor, decision, ids = actor_of(request), request.GET.get("decision", ""), user_ids_of(request.GET)
    users, returned, pending, reasons, decided, decisions = gather(
        selectors.pending_users()[:QUEUE_LENGTH],
        selectors.pending_users().filter(pk__in=ids if decision == "undo" else []),
        stats.waiting,
        lambda: selectors.recent_rejection_reasons(REASONS_OFFERED),
        lambda: last_decision(actor, decision, ids),
        lambda: selectors.own_decisions(actor),
    )
    shown = {user.pk for user in users}
    users = [*users, *(user for user in returned if user.pk not in shown)]
    selectors.load_details(users)
    remember_pending_users(request, pending)
    context = model_admin.admin_site.each_context(request) | {
        "title": "Approvals",
        "media": model_admin.media,
        "rows": with_next(users),
        "current": returned[0].pk if returned else (users[0].pk if users else None),
        "count": pending.count,
        "reasons": reasons,
        "reason_length": validators.REASON_LENGTH,
        "decided": decided,
        "decisions": [standing_decision(together) for together in decisions],
    }
    return TemplateResponse(request, "admin/accounts/user/approvals.html", context | more)


def with_next(users: Sequence[User]) -> list[tuple[User, int | str]]:
    """Each user with the id of the one below, to go to after a decision; an empty string for the last."""
    return [(user, following.pk if following else "") for user, following in pairwise([*users, None]) if user]


def decide(model_admin: GalleryAdmin, request: HttpRequest) -> HttpResponse:
    """Take one decision about all the users that the request names, or about none if one of them fails."""
    sent, is_script = Sent.of(request.POST), request.headers.get("Accept") == JSON
    queue = reverse("admin:accounts_user_approvals")
    if sent.decision not in DECIDED or not sent.user_ids:
        model_admin.message_user(request, "No one was selected.", messages.WARNING)
        return HttpResponseRedirect(queue)
    try:
        users = take(actor_of(request), sent)
    except DecidedMeanwhile as error:
        question = {"message": error.message, "user": error.user.pk, "state": error.user.state}
        can_insist = sent.decision != "undo"
        if is_script:
            return JsonResponse(question | {"can_insist": can_insist}, status=409)
        if can_insist:
            return queue_page(model_admin, request, question=question | {"sent": sent})
        model_admin.message_user(request, f"{error.message} This is not undone.", messages.ERROR)
        return HttpResponseRedirect(queue)
    except GalleryError as error:
        if is_script:
            return error_as_json(error)
        model_admin.message_user(request, error.message, messages.ERROR)
        return HttpResponseRedirect(queue)
    if is_script:
        return JsonResponse(answer(actor_of(request), sent, users))
    query = QueryDict(mutable=True)
    query["decision"] = sent.decision
    query.setlist("user", [str(user_id) for user_id in sent.user_ids])
    following = str(sent.user_ids[0]) if sent.decision == "undo" else sent.following
    fragment = f"#user-{following}" if following else ""
    return HttpResponseRedirect(f"{queue}?{query.urlencode()}{fragment}")


def take(actor: User, sent: Sent) -> list[User]:
    """Take the decision, and return the users as they are then. Raises GalleryError."""
    at = timezone.now()  # the same for all, by which they are undone together

    def basis(user_id: int) -> Basis:
        return Basis(state=sent.seen.get(user_id, State.PENDING), at=at)

    decisions: dict[str, Callable[[int], User]] = {
        "approve": lambda user_id: services.user_approve(actor, user_id, basis=basis(user_id)),
        "reject": lambda user_id: services.user_reject(actor, user_id, sent.reason, basis=basis(user_id)),
        "undo": lambda user_id: services.user_reopen(actor, user_id, basis=Basis(decided_at=sent.decided_at)),
    }
    # A single decision is a transaction already, and cheaper without another one around it.
    with transaction.atomic() if len(sent.user_ids) > 1 else nullcontext():
        return [decisions[sent.decision](user_id) for user_id in sent.user_ids]


def answer(actor: User, sent: Sent, users: Sequence[User]) -> Context:
    """What the page's script is told of a decision; without its time if a colleague had taken it already."""
    others = [decision_sentence(user) for user in users if user.reviewed_by_id not in (None, actor.pk)]
    moment = users[0].reviewed_at
    return {
        "label": DECIDED[sent.decision],
        "users": [{"id": user.pk, "username": user.username} for user in users],
        "decided_at": moment.isoformat() if moment and not others else "",
        "note": " ".join(others),
    }


def user_ids_of(sent: QueryDict) -> list[int]:
    """The ids in `user`, each once, at most QUEUE_LENGTH; what is no id is ignored."""
    ids = [int(text) for text in sent.getlist("user") if is_id(text)]
    return list(dict.fromkeys(ids))[:QUEUE_LENGTH]


def is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS


def seen_states(pairs: Sequence[str]) -> dict[int, State]:
    """{id: state} of texts like 12:approved; what is none is ignored."""
    parts = [pair.partition(":") for pair in pairs]
    return {int(key): State(state) for key, _, state in parts if is_id(key) and state in State.values}


def moment_of(text: str) -> datetime | None:
    """The time, or None if the text is none with an offset."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment is not None and timezone.is_aware(moment) else None


def last_decision(actor: User, decision: str, ids: Sequence[int]) -> Decision | None:
    """The decision that redirected here, as far as it still holds; None if there was none."""
    wanted = ids if decision in DECIDED else []
    found = selectors.users_without_passwords().filter(pk__in=wanted).order_by("username_key")
    users = [user for user in found if user.state == STATES[decision]]
    if not users:
        return None
    own = {user.reviewed_at if user.reviewed_by_id == actor.pk else None for user in users}
    return Decision(DECIDED[decision], users, own.pop() if len(own) == 1 and decision != "undo" else None)


def standing_decision(users: Sequence[User]) -> Decision:
    return Decision(LABELS[users[0].state], users, users[0].reviewed_at)
