"""Changes of the catalogue. Each is one transaction. Changes of designs are audited; favourites are not."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import router, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import SignIn, User
from accounts.selectors import SIGN_IN
from accounts.sessions import TokenRevoked
from core import audit, races, replica, sql
from core.errors import Conflict, GalleryError, NotFound
from d1backend import SerializationFailure, delete_or_conflict, write_then_gather
from designs import history, picture_change, selectors
from designs.fields import AUDITED, Status, Values
from designs.models import Design
from designs.picture_change import PictureChange
from designs.pictures import Picture
from designs.versioning import changed, changes_of, lock, store_version
from uploads.models import Category, Image
from uploads.pipeline.processing import Prepared
from uploads.services import image_delete, image_store_prepared

PURGED_AT_ONCE = 20  # designs of one transaction
# Nothing if the caller may not see the design, or if their sign-in has ended, which without a replica only this checks.
CHOSEN = f"""
    FROM designs AS d JOIN ({SIGN_IN}) AS who ON who.expires_at > %s
    WHERE d.id = %s AND (d.status = 'published' OR (who.is_admin AND d.status <> 'deleted'))
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
    SELECT d.like_count, d.status = 'published' OR (who.is_admin AND d.status <> 'deleted') FROM ({SIGN_IN}) AS who
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
    pictures = PictureChange.of(fields)
    values = without_pictures(fields)
    design = Design(**values, **pictures.columns, **kept)
    with pictures.guarded(), transaction.atomic():
        design.save(force_insert=True)
        pictures.store(design)
        changes = {name: (None, value) for name, value in (values | pictures.audited).items()}
        audit.record(actor, "design.create", design, changes, version=design.version)
        if within is not None:
            within(design)
    return design


def design_update(
    actor: audit.Actor | None, design: Design, fields: Values, *, version: int | None = None, **kept: Any
) -> bool:
    """Store those fields, as of design_create(), and columns of an import that differ from what the design has.

    They are stored in the row and in `design` itself. r2_object_key alone replaces the cover, or moves a picture of
    the design to the front. `version` is the one that the caller read, None for the newest.
    Return whether anything differs; if not, nothing is written.
    Raises Invalid as design_create does, EditConflict, and SerializationFailure if the design has another version by
    now, or is in the trash or gone. RepeatLostWrites (core/middleware.py) then runs the view again, which finds what
    there is; an import repeats its row (designs/sheets/rows.py).
    """
    pictures = PictureChange.of(fields, design)
    values = without_pictures(fields)
    columns = {**values, **pictures.columns, **kept}
    may_be_old = replica.may_be_old()
    with pictures.guarded(), transaction.atomic():
        lock(design, pictures)
        changes = changes_of(design, {**values, **pictures.audited, **kept})
        conditions: list[Q] = []
        if version is not None and version != design.version:
            if not may_be_old:
                history.raise_conflicts(design, version, changes, fields)
            elif version > design.version:
                raise SerializationFailure("The copy may lack the version. Run it again on D1.")
            else:  # D1 finds out, and if there may be a conflict the view runs again
                conditions.append(history.unchanged_since(design, version, changes))
        if changes:
            store_version(
                actor,
                "design.update",
                design,
                changed(columns, changes),
                changes,
                *conditions,
                pictures=pictures,
            )
    return bool(changes)


def design_update_many(actor: audit.Actor | None, designs: Iterable[Design], fields: Values) -> int:
    """Store the same `fields` in several designs, all or none; return how many of them change.

    Raises as design_update does; then none has changed.
    """
    with transaction.atomic():
        return sum(design_update(actor, design, fields) for design in designs)


def design_delete(actor: audit.Actor | None, design: Design) -> None:
    """Put a design into the trash, with its favourites and counts.

    Raises SerializationFailure as design_update does.
    """
    with transaction.atomic():
        lock(design)
        trashed = {
            "status": Status.DELETED.value,
            "trashed_status": design.status,
            "deleted_at": timezone.now(),
        }
        changes = {"status": (design.status, Status.DELETED.value)}
        store_version(actor, "design.delete", design, trashed, changes)


def design_restore(actor: audit.Actor | None, design: Design, version: int | None = None) -> bool:
    """Take a design out of the trash, and with `version` give all that a PUT can set the values of that version.

    Return whether anything differs; if not, nothing is written. Pictures that are gone are left out.
    Raises NotFound if the design has never had the version, Conflict (`image_gone`) if none of its pictures is left,
    and SerializationFailure as design_update does.
    """
    if replica.may_be_old() and (version or 0) > design.version:
        raise SerializationFailure("The copy may lack the version. Run it again on D1.")
    values = history.values_at(design, version) if version is not None else {}
    if design.is_deleted:
        values.setdefault("status", design.trashed_status)
    fields = fields_left(values)
    pictures = PictureChange.of(fields, design)
    values = without_pictures(fields)
    changes = changes_of(design, {**values, **pictures.audited})
    if changes:
        columns = {
            **changed({**values, **pictures.columns}, changes),
            "trashed_status": "",
            "deleted_at": None,
        }
        with transaction.atomic():
            store_version(actor, "design.restore", design, columns, changes, pictures=pictures)
    return bool(changes)


def design_purge(actor: audit.Actor | None, design: Design) -> None:
    """Delete a design for good, with its favourites, counts and versions; its pictures stay stored.

    Raises SerializationFailure if it has another version by now, or is gone.
    """
    values = {name: getattr(design, name) for name in AUDITED}
    with transaction.atomic():
        changes = {name: (value, None) for name, value in values.items() if value != ""}
        audit.record(actor, "design.purge", design, changes)
        delete_or_conflict(design, version=design.version)


def designs_purge_all(designs: QuerySet[Design]) -> int:
    """Purge these designs, PURGED_AT_ONCE in a transaction; return how many that were.

    Each part is read anew, so one that somebody takes out of the trash meanwhile stays.
    """
    count, designs = 0, designs.order_by("pk")
    while part := races.repeated(lambda _: purge_part(designs)):
        count += part
    return count


def purge_part(designs: QuerySet[Design]) -> int:
    """Purge the first PURGED_AT_ONCE of these designs, all or none; return how many that were."""
    part = list(designs[:PURGED_AT_ONCE])
    with transaction.atomic():
        for design in part:
            design_purge(None, design)
    return len(part)


def without_pictures(fields: Values) -> Values:
    return {name: value for name, value in fields.items() if name not in picture_change.FIELDS}


def fields_left(values: Values) -> Values:
    """The fields of a PUT for values of the audit trail, without pictures that are gone.

    Raises Conflict (`image_gone`) if there were pictures and none is left.
    """
    fields = {name: value for name, value in values.items() if name != "image_keys"}
    if "image_keys" in values:
        named = {Picture.of(sent).object_key for sent in values["image_keys"]}
        stored = Image.objects.filter(object_key__in=named, category=Category.DESIGNS)
        keys = replica.or_exactly(lambda: set(stored.values_list("object_key", flat=True)))
        left = [sent for sent in values["image_keys"] if Picture.of(sent).object_key in keys]
        if not left:
            raise Conflict("None of the pictures of this version is stored any more.", code="image_gone")
        fields["image_keys"] = left
    return fields


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
