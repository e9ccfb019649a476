"""What this app keeps of a user: the deletion and the export of it (core.hooks)."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.files.storage import default_storage
from django.db import transaction

from d1backend import delete_all_or_conflict
from uploads.keys import incoming_key
from uploads.models import Category, Image, PendingUpload
from uploads.services import discard_objects, rendition_keys


def erase(user: AbstractBaseUser) -> Callable[[], None]:
    """The hook erasers: their avatars, used or not. Their other images stay; pending uploads go with the user."""
    avatars = Image.objects.filter(category=Category.AVATARS, uploaded_by=user.pk)
    found = list(avatars)
    keys = [key for image in found for key in (image.object_key, *rendition_keys(image))]
    pending = PendingUpload.objects.filter(user=user.pk).values_list("object_key", flat=True)
    keys += [incoming_key(key) for key in pending]

    def delete() -> None:
        delete_all_or_conflict(avatars, len(found))
        transaction.on_commit(lambda: discard_objects(keys))

    return delete


def export(user: AbstractBaseUser, absolute: Callable[[str], str]) -> dict[str, Callable[[], Any]]:
    """The hook exporters: the images that they uploaded, and uploads that they have not completed."""
    return {
        "images": partial(images_of, user, absolute),
        "pending_uploads": partial(pending_uploads_of, user),
    }


def images_of(user: AbstractBaseUser, absolute: Callable[[str], str]) -> list[dict[str, Any]]:
    columns = ("object_key", "category", "content_type", "size", "width", "height", "created_at")
    rows = Image.objects.filter(uploaded_by=user.pk).order_by("pk").values(*columns)
    return [{**row, "url": absolute(default_storage.url(row["object_key"]))} for row in rows]


def pending_uploads_of(user: AbstractBaseUser) -> list[dict[str, Any]]:
    columns = ("object_key", "category", "content_type", "size", "created_at", "expires_at")
    return list(PendingUpload.objects.filter(user=user.pk).order_by("pk").values(*columns))
