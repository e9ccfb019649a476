"""What a decision about a user stores, and when it may not be taken any more: others have decided since."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime

from accounts.models import State, User
from core.errors import Conflict

WORDS = {State.APPROVED: "approved", State.REJECTED: "rejected", State.PENDING: "reopened"}


class DecidedMeanwhile(Conflict):
    """Others have decided about the user since the actor looked. `user` is as they are now."""

    code = "decided_meanwhile"

    def __init__(self, user: User) -> None:
        super().__init__(decision_sentence(user))
        self.user = user


@dataclass(frozen=True)
class Basis:
    """What a decision relies on, and its time if several share one (aware).

    `state` is the one in which the actor saw the user; None for any. `decided_at` is the time of the decision that is
    undone; None for any of the actor's.
    """

    state: State | None = None
    decided_at: datetime | None = None
    at: datetime | None = None


ANY = Basis()


def decision_sentence(user: User) -> str:
    """Who decided about the user, and when, as far as the row tells."""
    if user.reviewed_at is None:
        return f"{user.username} waits for a decision again."
    who = user.reviewer_username or "Somebody"
    when = date_format(localtime(user.reviewed_at), "DATETIME_FORMAT")
    sentence = f"{who} {WORDS[user.state]} {user.username} on {when}."
    return f"{sentence} The reason: {user.rejection_reason}" if user.rejection_reason else sentence


def review_values(
    actor: User | None, user: User, *, approved: bool, reason: str = "", basis: Basis = ANY
) -> dict[str, Any]:
    """Return the new values of a decision about the user; none if it does not change anything.

    Raises DecidedMeanwhile if the user has another state than the basis says.
    """
    state = State.APPROVED if approved else State.REJECTED
    if user.state == state and (approved or reason in ("", user.rejection_reason)):
        return {}
    if basis.state not in (None, user.state):
        raise DecidedMeanwhile(user)
    return {
        "is_approved": approved,
        "rejection_reason": reason,
        "reviewed_at": basis.at or timezone.now(),
        "reviewed_by": actor,
    }


def reopening_values(user: User) -> dict[str, Any]:
    """Return the new values of a user who waits for a decision again; none if they wait already."""
    if user.state == State.PENDING:
        return {}
    return {"is_approved": False, "rejection_reason": "", "reviewed_at": None, "reviewed_by": None}


def undo_values(actor: User, user: User, basis: Basis) -> dict[str, Any]:
    """Return reopening_values(). Raises DecidedMeanwhile unless it is the actor's own decision that stands."""
    values = reopening_values(user)
    is_own = user.reviewed_by_id == actor.pk and basis.decided_at in (None, user.reviewed_at)
    if values and not is_own:
        raise DecidedMeanwhile(user)
    return values
