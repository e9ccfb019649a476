"""Changes of the catalogue. Each is one transaction. Changes of designs are audited; favourites are not."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import router, transaction
from django.utils import timezone

from accounts.models import SignIn, User
from accounts.selectors import SIGN_IN
from accounts.sessions import TokenRevoked
from core import audit, sql
from core.errors import GalleryError, NotFound
from d1backend import SerializationFailure, delete_or_conflict, update_or_conflict, write_then_gather
from designs import picture_change, selectors
from designs.fields import AUDITED, Values
from designs.models import Design
from designs.picture_change import PictureChange
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
    """Store a new design of `fields`; `kept` are columns that an import brings (id, created_at).

    The fields are those of EDITABLE and STAFF_ONLY; image_keys, all pictures as the API takes them, may replace
    r2_object_key. `within` is called with the design in the same transaction.
    Raises Invalid on the one of the two that is given if a key is not that of a stored image of designs, and
    IntegrityError if the id is taken.
    """
    change = PictureChange.of(fields)
    values = without_pictures(fields)
    design = Design(**values, **change.columns, **kept)
    with change.guarded(), transaction.atomic():
        design.save(force_insert=True)
        change.store(design)
        added = {name: (None, value) for name, value in (values | change.audited).items()}
        audit.record(actor, "design.create", design, added)
        if within is not None:
            within(design)
    return design


def design_update(actor: audit.Actor | None, design: Design, fields: Values, **kept: Any) -> None:
    """Store fields as of design_create(), and the columns that an import brings, in the row and in `design` itself.

    r2_object_key alone replaces the cover, or moves a picture of the design to the front. Fields that seem equal are
    written too: `design` may have been read from an older copy.
    Raises Invalid as design_create does, and SerializationFailure if the design has been deleted, or other pictures
    than those of `design` would stay beside a new cover. RepeatLostWrites (core/middleware.py) then runs the view
    again, which finds what is there; an import repeats its row (csv_import.py).
    """
    change = PictureChange.of(fields, design)
    values = without_pictures(fields)
    columns = {**values, **change.columns, **kept, "updated_at": timezone.now()}
    values |= change.audited
    old = {name: getattr(design, name) for name in values}
    with change.guarded(), transaction.atomic():
        update_or_conflict(change.holds_for(Design.objects.filter(pk=design.pk)), **columns)
        for name, value in columns.items():
            setattr(design, name, value)
        change.store(design)
        changes = {name: (old[name], value) for name, value in values.items() if old[name] != value}
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
    values = {name: getattr(design, name) for name in AUDITED}
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
            with suppress(GalleryError, SerializationFailure):  # already deleted, or in use by another row
                image_delete(actor, image.object_key)
        raise


def without_pictures(fields: Values) -> Values:
    return {name: value for name, value in fields.items() if name not in picture_change.FIELDS}


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
