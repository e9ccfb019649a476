"""The count of pending users, read at most once for each request."""

from django.http import HttpRequest

from accounts import stats

KEY = "console.pending_users"  # in the request's META


def pending_users(request: HttpRequest) -> stats.Waiting:
    """How many users wait for a decision, and since when."""
    if KEY not in request.META:
        remember_pending_users(request, stats.waiting())
    found: stats.Waiting = request.META[KEY]
    return found


def remember_pending_users(request: HttpRequest, pending: stats.Waiting) -> None:
    """Keep what a page has read along with other data, so that the sidebar does not read it again."""
    request.META[KEY] = pending
