"""Reads of users and sign-ins."""

from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import SignIn, User, username_key

SignIns = QuerySet[SignIn]

KEY_LENGTH = User._meta.get_field("username_key").max_length or 0


def user_by_name(username: str) -> User | None:
    """The user of that name, without regard to case."""
    key = username_key(username.strip())
    return User.objects.filter(username_key=key).first() if len(key) <= KEY_LENGTH else None


def live_sign_ins(user_id: int, now: datetime | None = None) -> SignIns:
    """The user's sign-ins that have neither ended nor expired; none where he is not approved."""
    return SignIn.objects.filter(
        user_id=user_id, user__is_approved=True, ended_at=None, expires_at__gt=now or timezone.now()
    )


def sign_in(user_id: int, sign_in_id: int) -> SignIn | None:
    """The user's live sign-in with its user, in one query; the password's hash stays in the database."""
    return live_sign_ins(user_id).filter(pk=sign_in_id).select_related("user").defer("user__password").first()
