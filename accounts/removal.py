"""Takes a user out of the database, with everything that belongs only to them. accounts.deletion has the rules."""

from collections.abc import Callable
from datetime import UTC
from typing import Any

from django.db.models import Exists

from accounts.models import DeletedSignup, User
from core import hooks
from d1backend import delete_or_conflict, insert_unkeyed


def user_removal(user: User) -> Callable[..., None]:
    """Read what other apps keep of the user, and return the function that deletes all of it.

    Call that inside the transaction, with the conditions of delete_or_conflict(). It raises SerializationFailure if
    the user, or what was read, has changed.
    """
    erase = [eraser(user) for eraser in hooks.erasers]

    def remove(*conditions: Exists, **as_read: Any) -> None:
        for step in erase:
            step()
        insert_unkeyed(DeletedSignup(day=user.created_at.astimezone(UTC).date()))
        delete_or_conflict(user, *conditions, **as_read)

    return remove
