"""Changes of the catalogue. Each is one transaction. Changes of designs are audited; favourites are not."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import IntegrityError, router, transaction
from django.utils import timezone

from accounts.models import SignIn, User
from accounts.selectors import SIGN_IN
from accounts.sessions import TokenRevoked
from core import audit, replica, sql
from core.errors import GalleryError, Invalid, NotFound, invalid_field
from d1backend import delete_or_conflict, update_or_conflict, write_then_gather
from designs import selectors
from designs.fields import EDITABLE, Values
from designs.models import Design
from uploads.models import Category, Image
from uploads.pipeline.processing import Prepared
from uploads.services import image_delete, image_store_prepared

# Nothing if the caller may not see the design, or if their sign-in has ended, which without a replica only this checks.
CHOSEN = f"""
    FROM designs AS d JOIN ({SIGN_IN}) AS who ON who.expires_at > %s
    WHERE d.id = %s AND (d.status = 'published' OR who.is_admin)
"""
# Idempotent. What is known to be there is not inserted, because D1 bills an insert even if it conflicts.
INSERT_FAVOURITE = f"""
    INSERT INTO user_favorites (user_id, design_id, created_at) SELECT who.id, d.id, %s {CHOSEN}
    AND NOT EXISTS (SELECT 1 FROM user_favorites AS f WHERE f.design_id = d.id AND f.user_id = who.id)
    ON CONFLICT (design_id, user_id) DO NOTHING
"""  # noqa: S608 – made of constants
DELETE_FAVOURITE = f"""
    DELETE FROM user_favorites WHERE (user_id, design_id) IN (SELECT who.id, d.id {CHOSEN})
"""  # noqa: S608 – made of constants
# No row if the sign-in has ended.
LIKE_COUNT = f"""
    SELECT d.like_count, d.status = 'published' OR (who.is_admin AND d.id) FROM ({SIGN_IN}) AS who
    LEFT JOIN designs AS d ON d.id = %s WHERE who.expires_at > %s
"""  # noqa: S608 – made of constants


def design_create(
    actor: audit.Actor | None,
    fields: Values,
    *,
    within: Callable[[Design], object] | None = None,
    **kept: Any,
) -> Design:
    """Store a new design of EDITABLE (and STAFF_ONLY) `fields`; `kept` are columns of an import (id, created_at).

    `within` is called with it in the same transaction.

    Raises Invalid on r2_object_key if that is not the key of a stored image of designs, and IntegrityError if the id
    is taken.
    """
    design = Design(**columns_of(fields), **kept)
    with image_guarded(), transaction.atomic():
        design.save(force_insert=True)
        audit.record(actor, "design.create", design, {name: (None, value) for name, value in fields.items()})
        if within is not None:
            within(design)
    return design


def design_update(actor: audit.Actor | None, design: Design, fields: Values, **kept: Any) -> None:
    """Store EDITABLE (and STAFF_ONLY) `fields`, and the columns of an import, in the row and in `design` itself.

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


def favourite_add(sign_in: SignIn, design_id: int) -> int:
    """Make a design a favourite of the signed-in user; return how many users like it now. Idempotent.

    Raises NotFound if there is no such design that the user may see, and NotAuthenticated (`token_revoked`) if the
    sign-in has ended.
    """
    return change_favourite(INSERT_FAVOURITE, [sql.stored_time(timezone.now())], sign_in, design_id)


def favourite_remove(sign_in: SignIn, design_id: int) -> int:
    """Remove the favourite; return how many users like the design now. Idempotent. Raises as favourite_add does."""
    return change_favourite(DELETE_FAVOURITE, [], sign_in, design_id)


def change_favourite(statement: str, values: list[str], sign_in: SignIn, design_id: int) -> int:
    who, now = [sign_in.pk, sign_in.user_id], sql.stored_time(timezone.now())
    (found,) = write_then_gather(
        statement,
        [*values, *who, now, design_id],
        lambda: sql.rows(LIKE_COUNT, [*who, design_id, now], router.db_for_read(Design, values_only=True)),
    )
    if not found:
        raise TokenRevoked
    ((like_count, is_visible),) = found
    if not is_visible:
        raise NotFound(selectors.NO_SUCH_DESIGN)
    return int(like_count)
