"""Finds and removes what uploads leave behind: expired pending uploads, temporary images, objects without a row.

Nothing younger than `older_than` is touched, so uploads in progress are safe. The database is asked about an object
after the object was listed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from django.utils import timezone

from core.errors import Conflict, NotFound
from d1backend import SerializationFailure
from d1backend.replica import on_primary
from uploads import selectors, services
from uploads.keys import EXTENSIONS, is_own, stem_of
from uploads.models import Category, Image, PendingUpload
from uploads.storage.base import configured_store

CHUNK = 300  # objects asked about at once


@dataclass
class Report:
    """The keys of what was found, and removed unless it was a dry run. `missing` is only reported."""

    pending: list[str] = field(default_factory=list)
    discarded: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


@on_primary()
def clean(older_than: timedelta, *, dry_run: bool = False) -> Report:
    """Remove what is older than `older_than` and unused, and report it.

    Also reports rows whose object is missing: a person must look at them. Raises Unavailable.
    """
    limit = timezone.now() - older_than
    report = Report()
    expired = PendingUpload.objects.filter(expires_at__lt=limit)
    report.pending = list(expired.values_list("object_key", flat=True))
    if not dry_run:
        expired.delete()
    for image in unused_images(limit):
        if dry_run or removed(image):
            report.discarded.append(image.object_key)
    expired_keys = set(report.pending) if dry_run else set()
    stored: set[str] = set()
    for chunk in chunks(configured_store().objects()):
        stored.update(key for key, _ in chunk)
        old = [key for key, changed in chunk if changed < limit and is_own(key)]
        for key in orphans(old, expired_keys):
            report.orphans.append(key)
            if not dry_run:
                configured_store().delete(key)
    report.missing = list(missing(stored, limit))
    return report


def unused_images(limit: datetime) -> Iterator[Image]:
    """Yield temporary images and unused avatars from before `limit`."""
    for category in (Category.TEMP, Category.AVATARS):
        yield from selectors.images(category=category, unused=True).filter(created_at__lt=limit)


def removed(image: Image) -> bool:
    """Delete the image unless it is in use by now. Return whether it was deleted."""
    try:
        services.image_delete(None, image.object_key)
    except (Conflict, NotFound, SerializationFailure):
        return False
    return True


def orphans(keys: list[str], expired_keys: set[str]) -> list[str]:
    """Return the keys of no image and no pending upload. The pending uploads `expired_keys` do not count."""
    stems = {stem_of(key) for key in keys}
    originals = [f"{stem}.{extension}" for stem in stems for extension in EXTENSIONS.values()]
    known = set()
    for image in Image.objects.filter(object_key__in=originals):
        known.update([image.object_key, *services.rendition_keys(image)])
    pending = PendingUpload.objects.filter(object_key__in=originals).values_list("object_key", flat=True)
    awaited = {stem_of(key) for key in pending if key not in expired_keys}
    return [key for key in keys if key not in known and stem_of(key) not in awaited]


def missing(stored: set[str], limit: datetime) -> Iterator[str]:
    """Yield keys that a row from before `limit` names and the store does not have."""
    for image in Image.objects.filter(created_at__lt=limit).order_by("pk").iterator():
        for key in (image.object_key, *services.rendition_keys(image)):
            if key not in stored and Image.objects.filter(pk=image.pk).exists():
                yield key


def chunks(objects: Iterable[tuple[str, datetime]]) -> Iterator[list[tuple[str, datetime]]]:
    iterator = iter(objects)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
