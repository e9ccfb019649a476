"""Changes of the catalogue. Each is one transaction. Changes of designs are audited; favourites are not."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import User
from core import audit, replica
from core.errors import GalleryError, Invalid, invalid_field
from core.sql import stored_time
from d1backend import delete_or_conflict, update_or_conflict
from designs import selectors
from designs.fields import EDITABLE, Values
from designs.models import Design
from uploads.models import Category, Image
from uploads.pipeline.processing import Prepared
from uploads.services import image_delete, image_store_prepared

# Inserts nothing for a design that the caller may not see. Idempotent.
INSERT_FAVOURITE = """
    INSERT INTO user_favorites (user_id, design_id, created_at)
    SELECT %s, id, %s FROM designs WHERE id = %s AND (status = 'published' OR %s)
    ON CONFLICT (user_id, design_id) DO NOTHING
"""
# The ORM would wrap the deletion in a transaction and ask for the number of rows: on D1 two more round trips, and a
# serialization failure when two calls meet.
DELETE_FAVOURITE = """
    DELETE FROM user_favorites WHERE user_id = %s AND design_id IN (
        SELECT id FROM designs WHERE id = %s AND (status = 'published' OR %s)
    )
"""


def design_create(actor: audit.Actor | None, fields: Values, **kept: Any) -> Design:
    """Store a new design of EDITABLE `fields`; `kept` are columns that an import brings (id, created_at).

    Raises Invalid on r2_object_key if that is not the key of a stored image of designs, and IntegrityError if the id
    is taken.
    """
    design = Design(**columns_of(fields), **kept)
    with image_guarded(), transaction.atomic():
        design.save(force_insert=True)
        audit.record(actor, "design.create", design, {name: (None, value) for name, value in fields.items()})
    return design


def design_update(actor: audit.Actor | None, design: Design, fields: Values, **kept: Any) -> None:
    """Store EDITABLE `fields`, and the columns that an import brings, in the row and in `design` itself.

    Fields that seem equal are written too: `design` may have been read from an older copy.
    Raises Invalid as design_create does, and SerializationFailure if the design has been deleted. RepeatLostWrites
    (core/middleware.py) then runs the view again, which finds no design; an import repeats its row (csv_import.py).
    """
    columns = {**columns_of(fields), **kept, "updated_at": timezone.now()}
    old = {name: getattr(design, name) for name in fields}
    with image_guarded(), transaction.atomic():
        update_or_conflict(Design.objects.filter(pk=design.pk), **columns)
        for name, value in columns.items():
            setattr(design, name, value)
        changes = {name: (old[name], value) for name, value in fields.items() if old[name] != value}
        if changes:
            audit.record(actor, "design.update", design, changes)


def design_update_many(actor: audit.Actor | None, designs: Iterable[Design], fields: Values) -> int:
    """Store the same `fields` in several designs, all or none; return how many of them change.

    Raises as design_update does; then none has changed.
    """
    changed = [design for design in designs if any(getattr(design, name) != fields[name] for name in fields)]
    with transaction.atomic():
        for design in changed:
            design_update(actor, design, fields)
    return len(changed)


def design_delete(actor: audit.Actor | None, design: Design) -> None:
    """Delete a design with its favourites and counts; its image stays.

    Raises SerializationFailure if it is gone already, as design_update does.
    """
    values = {name: getattr(design, name) for name in EDITABLE}
    with transaction.atomic():
        changes = {name: (value, None) for name, value in values.items() if value != ""}
        audit.record(actor, "design.delete", design, changes)
        delete_or_conflict(design)


@contextmanager
def picture_stored(actor: User | None, prepared: Prepared | None) -> Iterator[Image | None]:
    """Store the picture as an image of designs, and delete it again if the block fails; None for None."""
    image = image_store_prepared(actor, prepared, Category.DESIGNS) if prepared else None
    try:
        yield image
    except BaseException:
        if image:
            with suppress(GalleryError):  # already deleted, or in use by another row
                image_delete(actor, image.object_key)
        raise


def columns_of(fields: Values) -> Values:
    """The model's values for those of the API: the image in place of its key.

    Raises Invalid if the key is not that of a stored image of designs.
    """
    columns = {name: value for name, value in fields.items() if name != "r2_object_key"}
    if "r2_object_key" in fields:
        key = fields["r2_object_key"]
        found = Image.objects.filter(object_key=key, category=Category.DESIGNS)
        columns["image"] = replica.or_exactly(found.first)
        if columns["image"] is None:
            raise no_such_image()
    return columns


@contextmanager
def image_guarded() -> Iterator[None]:
    """Raise Invalid if a foreign key fails: it is that of the image, which was deleted since columns_of() found it.

    Put it around the transaction, because foreign keys are checked at the commit. Any other IntegrityError passes: an
    import names the id of a new design, which another write may have taken.
    """
    try:
        yield
    except IntegrityError as error:
        if "foreign key" not in str(error).lower():
            raise
        raise no_such_image() from error


def no_such_image() -> Invalid:
    return invalid_field("r2_object_key", "This is not the key of a stored image of designs.")


def favourite_add(user: User, design_id: int) -> int:
    """Make a design a favourite of the user; return how many users like it now. Idempotent.

    Raises NotFound if there is no such design that the user may see.
    """
    with connection.cursor() as cursor:
        cursor.execute(INSERT_FAVOURITE, [user.pk, stored_time(timezone.now()), design_id, user.is_admin])
    return selectors.design_like_count(user, design_id)


def favourite_remove(user: User, design_id: int) -> int:
    """Remove the favourite; return how many users like the design now. Idempotent. Raises as favourite_add does."""
    with connection.cursor() as cursor:
        cursor.execute(DELETE_FAVOURITE, [user.pk, design_id, user.is_admin])
    return selectors.design_like_count(user, design_id)
