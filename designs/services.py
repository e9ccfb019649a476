"""Changes of the catalogue, each one transaction and audited where staff does it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from core import audit, replica
from core.errors import GalleryError, Invalid, NotFound, invalid_field
from d1backend import update_or_conflict
from designs import selectors
from designs.models import Design
from uploads.models import Category, Image
from uploads.pipeline.processing import Prepared
from uploads.services import delete_image, store

# What staff may set, in the words of the API; r2_object_key is the model's image.
EDITABLE = (
    "title",
    "description",
    "r2_object_key",
    "category",
    "style",
    "colour",
    "fabric",
    "occasion",
    "season",
    "designer_name",
    "collection_name",
    "featured",
    "status",
)
# Only what the caller may see can be liked; a design that he likes already stays as it is.
INSERT_FAVOURITE = """
    INSERT INTO user_favorites (user_id, design_id, created_at)
    SELECT %s, id, %s FROM designs WHERE id = %s AND (status = 'published' OR %s)
    ON CONFLICT (user_id, design_id) DO NOTHING
"""
# Not by the ORM, which wraps a deletion in a transaction and asks how many rows there were: on D1 that is two
# round trips more, and a serialization failure where two calls meet.
DELETE_FAVOURITE = """
    DELETE FROM user_favorites WHERE user_id = %s AND design_id IN (
        SELECT id FROM designs WHERE id = %s AND (status = 'published' OR %s)
    )
"""


def create_design(actor: audit.Actor | None, fields: dict[str, Any], **kept: Any) -> Design:
    """Store a new design of the EDITABLE `fields`; `kept` are columns that an import brings (id, created_at).

    Raises Invalid on r2_object_key where that is no stored image of designs.
    """
    design = Design(**columns_of(fields), **kept)
    with image_guarded(), transaction.atomic():
        design.save(force_insert=True)
        audit.record(actor, "design.create", design, {name: (None, value) for name, value in fields.items()})
    return design


def update_design(actor: audit.Actor | None, design: Design, fields: dict[str, Any], **kept: Any) -> None:
    """Store the EDITABLE `fields`, and what an import brings, in the row and in `design` itself.

    Every field is written, one that seems equal too: `design` may have been read from an older copy.
    Raises Invalid as create_design does, and SerializationFailure where the design has been deleted.
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


def update_designs(actor: audit.Actor | None, designs: Iterable[Design], fields: dict[str, Any]) -> int:
    """Store the same `fields` in several designs, all or none; answer how many that changed."""
    changed = [design for design in designs if any(getattr(design, name) != fields[name] for name in fields)]
    with transaction.atomic():
        for design in changed:
            update_design(actor, design, fields)
    return len(changed)


def delete_design(actor: audit.Actor | None, design: Design) -> None:
    """Delete a design with its favourites and counts; its image stays. Raises NotFound where it is gone already."""
    values = {name: getattr(design, name) for name in EDITABLE}
    with transaction.atomic():
        changes = {name: (value, None) for name, value in values.items() if value != ""}
        audit.record(actor, "design.delete", design, changes)
        if not design.delete()[1].get(Design._meta.label):
            raise NotFound(selectors.NO_SUCH_DESIGN)


@contextmanager
def picture_stored(actor: Any, prepared: Prepared | None) -> Iterator[Image | None]:
    """The picture stored as an image of designs, and removed again where the block fails; None for None."""
    image = store(actor, prepared, Category.DESIGNS) if prepared else None
    try:
        yield image
    except BaseException:
        if image:
            with suppress(GalleryError):  # deleted by somebody else, or in use after all
                delete_image(actor, image.object_key)
        raise


def columns_of(fields: dict[str, Any]) -> dict[str, Any]:
    """The model's fields for those of the API. Raises Invalid where the key names no image of designs."""
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
    """Of all that a design refers to only its image can be missing, deleted since it was looked up.

    It stands around the transaction, at whose end the foreign key is checked.
    """
    try:
        yield
    except IntegrityError as error:
        raise no_such_image() from error


def no_such_image() -> Invalid:
    return invalid_field("r2_object_key", "This is not the key of a stored image of designs.")


def add_favourite(user: Any, design_id: int) -> int:
    """The user likes a design, once however often he says so; answer how many like it now.

    Raises NotFound where he may not see such a design.
    """
    with connection.cursor() as cursor:
        cursor.execute(INSERT_FAVOURITE, [user.pk, adapted(timezone.now()), design_id, user.is_admin])
    return selectors.like_count(user, design_id)


def remove_favourite(user: Any, design_id: int) -> int:
    """The user does not like a design, or no longer; answer how many like it now. Raises as add_favourite."""
    with connection.cursor() as cursor:
        cursor.execute(DELETE_FAVOURITE, [user.pk, design_id, user.is_admin])
    return selectors.like_count(user, design_id)


def adapted(moment: datetime) -> Any:
    """A time as the database keeps it."""
    return connection.ops.adapt_datetimefield_value(moment)
