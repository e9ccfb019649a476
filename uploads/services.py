"""Services of images.

Objects are stored before the row that names them, and deleted after it. A failure in between leaves an object
without a row, which `manage.py tidy` finds, and never a row without its object.
"""

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import IO

from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from core import audit, limits, replica
from core.errors import (
    Conflict,
    Forbidden,
    GalleryError,
    Invalid,
    NotFound,
    TooLarge,
    Unavailable,
    invalid_field,
)
from core.limits import TOO_MANY_REQUESTS, Allowance, Limit
from core.logs.current import in_request
from d1backend import ConditionFailed, RateLimited, SerializationFailure, delete_or_conflict
from d1backend.replica import on_primary
from uploads import selectors
from uploads.keys import ACCEPTED, SPELLINGS, incoming_key, is_original, new_key, rendition_key
from uploads.models import Category, Image, PendingUpload
from uploads.pipeline.processing import Prepared, prepare
from uploads.pipeline.renditions import RECIPE, StoredRendition
from uploads.pipeline.validation import file_too_large
from uploads.storage.base import configured_store

logger = logging.getLogger(__name__)

Within = Callable[[Image], object]
AT_ONCE = 4  # objects of one image that are sent at the same time


def image_store(user: User, file: bytes | IO[bytes], category: str, *, within: Within | None = None) -> Image:
    """Check a file, make its renditions, store them all, and return the row.

    `within` is called with it in the same transaction.
    Raises TooLarge (file_too_large), Invalid (invalid_image), Unavailable, and TooMany for avatars past the quota.
    """
    if category == Category.AVATARS:
        limits.take(quota_of(user, "AVATAR_UPLOADS"))
    data = file if isinstance(file, bytes) else file.read(settings.MAX_FILE_SIZE + 1)
    return image_store_prepared(user, prepare(data), category, within=within)


def image_store_prepared(
    user: User | None, prepared: Prepared, category: str, *, within: Within | None = None
) -> Image:
    """Store what `prepare` made as an image of the category, and return the row. Raises Unavailable."""
    key = new_key(category, prepared.content_type)
    row = unsaved_image(user, prepared, category, key)
    keys = [key, *rendition_keys(row)]
    try:
        store_objects(key, prepared)
        with transaction.atomic():
            row.save(force_insert=True)
            if within is not None:
                within(row)
    except BaseException as error:
        if is_surely_unstored(error):
            discard_objects(keys)
        raise
    return row


def is_surely_unstored(error: BaseException) -> bool:
    """Return whether certainly no row was stored. If the connection broke, there may be one, with objects."""
    return isinstance(error, SerializationFailure | ConditionFailed | RateLimited) or not isinstance(
        error, OperationalError | InterfaceError
    )


def unsaved_image(user: User | None, prepared: Prepared, category: str, key: str) -> Image:
    """Return the unsaved row of a prepared image."""
    row = Image(
        object_key=key,
        category=category,
        content_type=prepared.content_type,
        size=len(prepared.data),
        width=prepared.width,
        height=prepared.height,
        dominant_colour=prepared.dominant_colour,
        thumbhash=prepared.thumbhash,
        perceptual_hash=prepared.perceptual_hash,
        renditions=renditions_of(key, prepared),
        recipe=RECIPE,
        uploaded_by=user,
    )
    row.in_use = False  # type: ignore[attr-defined]
    return row


def renditions_of(key: str, prepared: Prepared) -> list[StoredRendition]:
    """Return the renditions of the image under `key`, as its row stores them."""
    return [
        {
            "width": one.width,
            "height": one.height,
            "format": "webp",
            "key": rendition_key(key, one.width, one.data),
        }
        for one in prepared.renditions
    ]


def rendition_keys(image: Image) -> list[str]:
    return [rendition["key"] for rendition in image.renditions]


def store_objects(key: str, prepared: Prepared, *, original: bool = True) -> None:
    """Store the renditions, and then the image itself."""
    store = configured_store()
    small = [(rendition_key(key, one.width, one.data), one.data) for one in prepared.renditions]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        put = in_request(store.put)
        list(pool.map(lambda item: put(item[0], item[1], "image/webp"), small))
    if original:
        store.put(key, prepared.data, prepared.content_type)


def discard_objects(keys: Iterable[str]) -> None:
    """Delete objects that no row names. `manage.py tidy` deletes those that the store fails to delete now."""
    try:
        for key in keys:
            configured_store().delete(key)
    except Unavailable:
        logger.warning("objects without a row were left in the store; manage.py tidy removes them")


def check_may_upload(user: User, category: str) -> None:
    """Raise Forbidden unless the user may upload to the category: everyone to avatars, admins to all."""
    if category != Category.AVATARS and not user.is_admin:
        raise Forbidden("Only admins upload images other than avatars.")


def upload_presign(
    user: User, content_type: str, size: int, category: str
) -> tuple[PendingUpload, str, dict[str, str]]:
    """Return a pending upload, the signed URL for its PUT, and the headers to send.

    The URL accepts exactly `size` bytes of `content_type`, for settings.PRESIGNED_LIFETIME.
    Raises Invalid on content_type, TooLarge, and TooMany past the quota.
    """
    content_type = SPELLINGS.get(content_type, content_type)
    if content_type not in ACCEPTED:
        raise invalid_field("content_type", f"content_type must be one of {', '.join(ACCEPTED)}.")
    if size > settings.MAX_FILE_SIZE:
        raise file_too_large("size")
    limits.take(quota_of(user, "PRESIGNED_UPLOADS"))
    lifetime: timedelta = settings.PRESIGNED_LIFETIME
    key = new_key(category, content_type)
    address, headers = configured_store().presign_put(incoming_key(key), content_type, size, lifetime)
    pending = PendingUpload.objects.create(
        object_key=key,
        category=category,
        content_type=content_type,
        size=size,
        user=user,
        expires_at=timezone.now() + lifetime,
    )
    return pending, address, headers


def upload_complete(user: User, key: str) -> Image:
    """Check the uploaded object and make an image of it. A second call returns the same image.

    Raises NotFound if the user has no pending upload of this key, Forbidden if they may no longer upload to its
    category, Conflict (not_uploaded), Invalid (invalid_image) or TooLarge after deleting the bad object, and
    Unavailable, after which the call can be repeated. If the pending upload or the user is deleted meanwhile, or the
    sign-in has ended, raises SerializationFailure, IntegrityError or ConditionFailed, and stores nothing. Raises
    TooMany after too many keys that were not the user's.
    """
    quota_of(user, "UNKNOWN_UPLOADS").require(TOO_MANY_REQUESTS)
    promised = PendingUpload.objects.filter(object_key=key, user=user)
    pending = replica.or_exactly(promised.first) if is_original(key) else None
    if pending is None:
        return completed_image(user, key)
    check_may_upload(user, pending.category)
    try:
        prepared = uploaded_picture(pending)
    except (Invalid, TooLarge) as error:
        configured_store().delete(incoming_key(key))
        raise type(error)(error.message, code=error.code, fields={"object_key": [error.message]}) from error
    if prepared is None:
        # Another call may have completed it since the pending upload was read.
        return completed_image(
            user, key, Conflict("Nothing has been uploaded to this key yet.", code="not_uploaded")
        )
    store_objects(key, prepared)
    row = unsaved_image(user, prepared, pending.category, key)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            delete_or_conflict(pending)
    except (IntegrityError, SerializationFailure, ConditionFailed):
        # The sign-in has ended, another call completed it, or the pending upload was deleted with its user or by
        # tidy. While it exists, another call may use the objects.
        with on_primary():
            is_pending = promised.exists()
        if not is_pending:
            with suppress(NotFound):
                return completed_image(user, key)
            discard_objects([key, *rendition_keys(row)])
        raise
    discard_objects([incoming_key(key)])
    return row


@on_primary()
def completed_image(user: User, key: str, otherwise: GalleryError | None = None) -> Image:
    """Return the image that the user completed under this key. Raises `otherwise`, or NotFound, if there is none."""
    image = selectors.image(key, uploaded_by=user) if is_original(key) else None
    if image is None:
        if otherwise is None:
            quota_of(user, "UNKNOWN_UPLOADS").add()
        raise otherwise or NotFound("You have no pending upload of this key.")
    check_may_upload(user, image.category)
    return image


def quota_of(user: User, setting: str) -> Allowance:
    """Return what is left of what the user may upload or ask for, by the setting that limits it."""
    return Allowance(Limit.of(setting), str(user.pk))


def uploaded_picture(pending: PendingUpload) -> Prepared | None:
    """Return the prepared upload; None if nothing was uploaded. Raises Invalid, Unavailable."""
    stored = configured_store().get(incoming_key(pending.object_key), settings.MAX_FILE_SIZE)
    if stored is None:
        return None
    prepared = prepare(stored.data) if stored.size == pending.size else None
    # HEIC and AVIF are kept as JPEG, so one may come for the other.
    if prepared is None or ACCEPTED[prepared.sent_type] != ACCEPTED[pending.content_type]:
        raise Invalid("The uploaded file is not of the announced type and size.", code="invalid_image")
    return prepared


def image_delete(actor: User | None, key: str) -> None:
    """Delete an image that is not in use, and its objects after the commit.

    Raises NotFound, Conflict (image_in_use), and SerializationFailure if it was deleted or taken into use meanwhile.
    """
    image = image_to_delete(key)
    keys = [image.object_key, *rendition_keys(image)]
    with transaction.atomic():
        audit.record(actor, "image.delete", image)
        delete_or_conflict(image, *(~Q(use) for use in selectors.uses_of(image.category)))
        transaction.on_commit(lambda: discard_objects(keys))


def image_to_delete(key: str) -> Image:
    """Return the image if it is not in use. That there is none, or that it is in use, is not taken from the copy.

    Raises NotFound, Conflict.
    """
    image = selectors.image(key) if is_original(key) else None
    if image is None or image.in_use:  # type: ignore[attr-defined]
        with on_primary():
            image = selectors.image(key) if is_original(key) else None
    if image is None:
        raise NotFound("There is no such image.")
    if image.in_use:  # type: ignore[attr-defined]
        raise Conflict("This image is in use and cannot be deleted.", code="image_in_use")
    return image


def image_replace_renditions(image: Image, prepared: Prepared) -> None:
    """Replace the renditions of an image by those that `prepare` made of its stored bytes.

    Deletes the old ones after the commit. Raises NotFound if the image was deleted, and Unavailable.
    """
    made = renditions_of(image.object_key, prepared)
    stale = set(rendition_keys(image)) - {rendition["key"] for rendition in made}
    store_objects(image.object_key, prepared, original=False)
    with transaction.atomic():
        changed = Image.objects.filter(pk=image.pk).update(
            renditions=made,
            recipe=RECIPE,
            dominant_colour=prepared.dominant_colour,
            thumbhash=prepared.thumbhash,
            perceptual_hash=prepared.perceptual_hash,
        )
        if not changed:
            raise NotFound("There is no such image.")
        transaction.on_commit(lambda: discard_objects(stale))
