"""What is kept about a user, as JSON for them. No secret is in it: no hash of a password, no id of a token.

Each app says what it keeps by the hook `exporters` (core.hooks).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import Group

from accounts.models import SignIn, User
from core import hooks
from d1backend import gather
from d1backend.replica import on_primary

# Beside the secret fields: forms of the names that follow from them, and who of the staff decided.
NOT_EXPORTED = frozenset(
    {
        *("username_key", "username_skeleton", "username_written_skeleton"),
        *("username_searchable", "full_name_searchable", "contact_searchable"),
        *("reviewed_by", "reviewer_name"),
    }
)
PROFILE = [
    field.name
    for field in User._meta.concrete_fields
    if field.name not in NOT_EXPORTED.union(User.secret_fields)
]
SIGN_IN = ("id", "kind", "user_agent", "created_at", "last_used_at", "expires_at", "ended_at")


@on_primary()
def everything_about(user: User, absolute: Callable[[str], str]) -> dict[str, Any]:
    """Return all that is kept about the user by sections, in one round trip. `absolute` makes a URL absolute."""
    questions: dict[str, Callable[[], Any]] = {}
    for exporter in hooks.exporters:
        questions |= exporter(user, absolute)
    return dict(zip(questions, gather(*questions.values()), strict=True))


def export(user: AbstractBaseUser, absolute: Callable[[str], str]) -> dict[str, Callable[[], Any]]:
    """The hook exporters: the account, its groups and its sign-ins."""
    return {
        "profile": partial(profile_of, user),
        "groups": lambda: list(
            Group.objects.filter(user=user.pk).order_by("name").values_list("name", flat=True)
        ),
        "sign_ins": lambda: list(SignIn.objects.filter(user=user.pk).order_by("pk").values(*SIGN_IN)),
    }


def profile_of(user: AbstractBaseUser) -> dict[str, Any] | None:
    stored = User.objects.only(*PROFILE).filter(pk=user.pk).first()
    if stored is None:
        return None
    return {**{name: getattr(stored, name) for name in PROFILE}, "state": stored.state}
