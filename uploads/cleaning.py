"""Finds and removes what uploads leave behind: expired pending uploads, temporary images, objects without a row.

Nothing younger than `older_than` is touched, so uploads in progress are safe. The objects are listed first and the rows
read after them, so the rows know each object that is in use; before an object is deleted they are asked once more.

Beside another database all objects have no row. No store gives them back, so many at once are a reason to ask.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from django.utils import timezone

from core.batches import delete_in_batches
from core.errors import Conflict, NotFound
from d1backend import SerializationFailure
from d1backend.replica import on_primary
from uploads import selectors, services
from uploads.keys import EXTENSIONS, is_own, stem_of
from uploads.models import Category, Image, PendingUpload
from uploads.storage.base import configured_store

CHUNK = 300  # objects asked about at once
# More wait for the next run: each is some calls to D1 and to the store.
MOST_IMAGES = 500
# Objects without a row, above which they may be no more than half of the store.
MANY = 100


@dataclass
class Report:
    """The keys of what was found, and removed unless it was a dry run. `missing` is only reported."""

    pending: list[str] = field(default_factory=list)
    discarded: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


@on_primary()
def clean(
    older_than: timedelta,
    *,
    dry_run: bool = False,
    even_most: bool = False,
    before_orphans: Callable[[], None] = lambda: None,
) -> Report:
    """Remove what is older than `older_than` and unused, and report it.

    Also reports rows whose object is missing: a person must look at them. Raises Unavailable, and Conflict where most
    objects of the store have no row, unless `even_most` is true. Where some have none, `before_orphans` is called
    before any of them is deleted, and may raise.
    """
    limit = timezone.now() - older_than
    report = Report()
    expired = PendingUpload.objects.filter(expires_at__lt=limit)
    report.pending = list(expired.values_list("object_key", flat=True))
    if not dry_run:
        delete_in_batches(expired)
    for image in islice(unused_images(limit), MOST_IMAGES):
        if dry_run or removed(image):
            report.discarded.append(image.object_key)
    store = configured_store()
    unknown: set[str] = set()
    recent: set[str] = set()
    for key, changed in store.objects():
        unknown.add(key)
        if changed >= limit:
            recent.add(key)
    stored = len(unknown)
    report.missing = take_known(unknown, limit)
    expired_keys = set(report.pending) if dry_run else set()
    without_row = [key for key in sorted(unknown - recent) if is_own(key)]
    if not even_most:
        require_few(len(without_row), stored)
    if without_row:
        before_orphans()
    for chunk in chunks(without_row):
        for key in orphans(chunk, expired_keys):
            report.orphans.append(key)
            if not dry_run:
                store.delete(key)
    return report


def require_few(without_row: int, stored: int) -> None:
    """Raise Conflict if so many of the stored objects have no row that this may be another gallery's store."""
    if without_row > MANY and without_row > stored / 2:
        raise Conflict(
            f"{without_row:,} of the {stored:,} objects of the store have no row in this database, so it may not be "
            "theirs. Check the id of the database and the name of the bucket. If both are right, run "
            "manage.py tidy --only uploads --even-most, first with --dry-run."
        )


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


def take_known(stored: set[str], limit: datetime) -> list[str]:
    """Take the keys that images name out of those that are stored.

    Return those that an image from before `limit` names and that are not stored. Each image is read once, in pages; to
    ask about objects would take D1 a request for every few hundred.
    """
    missing: list[str] = []
    for image in Image.objects.order_by("pk").iterator():
        keys = (image.object_key, *services.rendition_keys(image))
        gone = [key for key in keys if key not in stored] if image.created_at < limit else []
        if gone and Image.objects.filter(pk=image.pk).exists():
            missing += gone
        stored.difference_update(keys)
    return missing


def chunks(keys: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(keys)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
