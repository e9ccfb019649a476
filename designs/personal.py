"""What this app keeps of a user: the export of it (core.hooks). Favourites are deleted with their user."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Case, When

from designs.fields import Status
from designs.models import Favourite


def export(user: AbstractBaseUser, absolute: Callable[[str], str]) -> dict[str, Callable[[], Any]]:
    """The hook exporters: the designs that they like. A title that only staff may see is null."""
    return {"favourites": partial(favourites_of, user)}


def favourites_of(user: AbstractBaseUser) -> list[dict[str, Any]]:
    favourites = Favourite.objects.filter(user=user.pk).order_by("created_at", "pk")
    title = Case(When(design__status=Status.PUBLISHED, then="design__title"))
    return [dict(row) for row in favourites.values("design_id", "created_at", title=title)]
