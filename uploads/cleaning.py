"""Finds and removes what uploads leave behind: promises never kept, temporary images, objects without a row.

Nothing younger than `older_than` is touched, so that an upload in progress loses nothing; and the database is
asked about an object after the object was seen.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from django.utils import timezone

from core.errors import Conflict, NotFound
from d1backend.replica import on_primary
from uploads import selectors, services
from uploads.keys import EXTENSIONS, is_own, stem_of
from uploads.models import Category, Image, PendingUpload
from uploads.storage.base import configured_store

CHUNK = 300  # objects asked about at once


@dataclass
class Report:
    """The keys of what was found, and removed unless it was a dry run. `missing` is never mended here."""

    pending: list[str] = field(default_factory=list)
    discarded: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


@on_primary()
def clean(older_than: timedelta, *, dry_run: bool = False) -> Report:
    """Remove what is older than `older_than` and needed by nobody; tell what it was.

    Rows whose object is gone are told too: they need a person. Raises Unavailable.
    """
    limit = timezone.now() - older_than
    report = Report()
    expired = PendingUpload.objects.filter(expires_at__lt=limit)
    report.pending = list(expired.values_list("object_key", flat=True))
    if not dry_run:
        expired.delete()
    for image in forgotten(limit):
        if dry_run or removed(image):
            report.discarded.append(image.object_key)
    promised = set(report.pending) if dry_run else set()
    stored: set[str] = set()
    for chunk in chunks(configured_store().objects()):
        stored.update(key for key, _ in chunk)
        old = [key for key, changed in chunk if changed < limit and is_own(key)]
        for key in orphans(old, promised):
            report.orphans.append(key)
            if not dry_run:
                configured_store().delete(key)
    report.missing = list(missing(stored, limit))
    return report


def forgotten(limit: datetime) -> Iterator[Image]:
    """Temporary images, and avatars that nobody wears any more, from before `limit`."""
    for category in (Category.TEMP, Category.AVATARS):
        yield from selectors.images(category=category, unused=True).filter(created_at__lt=limit)


def removed(image: Image) -> bool:
    """Delete the image, unless somebody took it up in the meantime."""
    try:
        services.image_delete(None, image.object_key)
    except (Conflict, NotFound):
        return False
    return True


def orphans(keys: list[str], promised: set[str]) -> list[str]:
    """Those of the keys that no image names, nor an upload in progress; `promised` are that no more."""
    stems = {stem_of(key) for key in keys}
    originals = [f"{stem}.{extension}" for stem in stems for extension in EXTENSIONS.values()]
    known = set()
    for image in Image.objects.filter(object_key__in=originals):
        known.update([image.object_key, *services.rendition_keys(image)])
    pending = PendingUpload.objects.filter(object_key__in=originals).values_list("object_key", flat=True)
    awaited = {stem_of(key) for key in pending if key not in promised}
    return [key for key in keys if key not in known and stem_of(key) not in awaited]


def missing(stored: set[str], limit: datetime) -> Iterator[str]:
    """Keys that a row from before `limit` names and the store does not hold."""
    for image in Image.objects.filter(created_at__lt=limit).order_by("pk").iterator():
        for key in (image.object_key, *services.rendition_keys(image)):
            if key not in stored and Image.objects.filter(pk=image.pk).exists():
                yield key


def chunks(objects: Iterable[tuple[str, datetime]]) -> Iterator[list[tuple[str, datetime]]]:
    iterator = iter(objects)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
