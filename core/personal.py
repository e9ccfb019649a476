"""What the audit trail says of a user, for their export (core.hooks)."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser

from core import selectors

LINE = ("id", "created_at", "action", "object_type", "object_id", "object_label", "changes")


def export(user: AbstractBaseUser, absolute: Callable[[str], str]) -> dict[str, Callable[[], Any]]:
    """The hook exporters: the lines of what they did, and of what was done to their account."""
    return {"audit": partial(lines_of, user)}


def lines_of(user: AbstractBaseUser) -> list[dict[str, Any]]:
    """The lines, oldest first. `by_you` stands for the actor: another one is no business of theirs."""
    lines = selectors.entries_of(user.pk, user.get_username()).order_by("pk")
    return [
        {**{name: getattr(line, name) for name in LINE}, "by_you": line.actor_id == user.pk} for line in lines
    ]
