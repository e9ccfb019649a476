"""The row after another one in a list with its filters, search and order: where "save and next" leads."""

from collections.abc import Sequence

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, Q, QuerySet
from django.db.models.constants import LOOKUP_SEP


def next_in_list(rows: QuerySet, row: Model) -> Model | None:
    """The row that follows in the rows of a list, even if this one is not among them any more; None after the last.

    Call it before the row is changed, because its values say where it is. None too where the list is ordered by
    anything else than fields of the row.
    """
    ordering = [name for name in rows.query.order_by if isinstance(name, str)]
    is_known = len(ordering) == len(rows.query.order_by)
    if not is_known or not all(is_plain(row, name.removeprefix("-")) for name in ordering):
        return None
    following: Model | None = rows.filter(after(row, ordering)).first()
    return following


def is_plain(row: Model, name: str) -> bool:
    try:
        return name == "pk" or not row._meta.get_field(name).is_relation
    except FieldDoesNotExist:
        return False


def after(row: Model, ordering: Sequence[str]) -> Q:
    """The condition that another row comes later in this order. SQLite puts NULL before every value."""
    later, same = Q(pk__in=[]), Q()
    for name in ordering:
        field, is_descending = name.removeprefix("-"), name.startswith("-")
        value = getattr(row, field)
        later |= same & beyond(field, value, is_descending)
        same &= Q(**{f"{field}{LOOKUP_SEP}isnull": True}) if value is None else Q(**{field: value})
    return later


def beyond(field: str, value: object, is_descending: bool) -> Q:
    is_null = Q(**{f"{field}{LOOKUP_SEP}isnull": True})
    if value is None:
        return Q(pk__in=[]) if is_descending else ~is_null
    if is_descending:
        return Q(**{f"{field}{LOOKUP_SEP}lt": value}) | is_null
    return Q(**{f"{field}{LOOKUP_SEP}gt": value})
