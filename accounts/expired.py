"""Rows that nobody needs any more: what `manage.py tidy` deletes of this app. Each function returns those of a table.

Their times have no index, which would be one more row to write for each row: a scan at night costs less (docs/tidy.md).
"""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from accounts import idempotency
from accounts.models import DeletedSignup, KeptAnswer, ResetCode, SignIn, StoredGuesses
from core.limits import now as limits_now

SIGN_IN_AGE = timedelta(days=7)
# Longer than the clocks of hosts differ, and than a call runs that has just found the row.
MARGIN = timedelta(hours=1)
# Analytics shows at most 365 days (designs.api.analytics).
SIGNUP_AGE = timedelta(days=400)


def sign_ins(now: datetime) -> QuerySet[SignIn]:
    """Those that ended or expired more than SIGN_IN_AGE ago. No token and no cookie of theirs is valid."""
    before = now - SIGN_IN_AGE
    return SignIn.objects.filter(Q(ended_at__lt=before) | Q(expires_at__lt=before))


def kept_answers(now: datetime) -> QuerySet[KeptAnswer]:
    """Those that no second try gets any more."""
    return KeptAnswer.objects.filter(created_at__lt=now - idempotency.LIFETIME - MARGIN)


def reset_codes(now: datetime) -> QuerySet[ResetCode]:
    """Those that can no longer be used."""
    return ResetCode.objects.filter(expires_at__lt=now - MARGIN)


def guesses(now: datetime) -> QuerySet[StoredGuesses]:
    """Limits that are whole again."""
    return StoredGuesses.objects.filter(full_at__lt=limits_now() - MARGIN // timedelta(microseconds=1))


def deleted_signups(now: datetime) -> QuerySet[DeletedSignup]:
    """Days that no series shows any more."""
    return DeletedSignup.objects.filter(day__lt=(now - SIGNUP_AGE).date())
