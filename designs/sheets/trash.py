"""Rows of the trash: an export has them with the status that a restore gives, and since when they are there."""

from django.utils import timezone

from core.errors import invalid_field
from designs.fields import SETTABLE_STATUSES, Status, Values
from designs.models import Design
from designs.sheets.values import DateOrder, moment_in, status_text

IN_TRASH = "This design is in the trash. Restore it first."


def trash_columns(texts: dict[str, str], design: Design | None, order: DateOrder) -> tuple[Values, Values]:
    """The status and the other columns of a design of a row of the trash; their cells are removed from `texts`.

    Nothing is taken out of the trash or put there: the row's design is in it already, or is a new one. Raises Invalid.
    """
    status, deleted_at = status_text(texts.pop("trashed_status", "")), texts.pop("deleted_at", "")
    since = moment_in(deleted_at, order, "deleted_at") if deleted_at else None
    in_trash = texts.get("status", "") == Status.DELETED
    if design and design.is_deleted and not in_trash:
        raise invalid_field("id", IN_TRASH)
    if not in_trash:
        return {}, {}
    del texts["status"]
    if status and status not in dict(SETTABLE_STATUSES):
        raise invalid_field("trashed_status", "This is no status that a restore can give.")
    if design and not design.is_deleted:
        raise invalid_field("status", "An import deletes no design. Delete it where it is shown.")
    return {"status": Status.DELETED.value}, {
        "trashed_status": status or (design.trashed_status if design else Status.DRAFT.value),
        "deleted_at": since or (design.deleted_at if design else timezone.now()),
    }
