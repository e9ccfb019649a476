"""Writes that cost D1 no rehearsal: the caller does not want a row count or a key, or knows it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import router
from django.db.models import AutoField, Exists, Field, Model, Q, QuerySet
from django.db.models.deletion import PROTECT, RESTRICT, Collector
from django.db.models.sql import InsertQuery

from d1backend.compilers.update import with_hint
from d1backend.errors import SerializationFailure
from d1backend.transaction.hints import Hint

if TYPE_CHECKING:
    from django.utils.datastructures import _IndexableCollection  # the stubs' own

M = TypeVar("M", bound=Model)


def update_uncounted(queryset: QuerySet[M], **values: Any) -> None:
    """`queryset.update(**values)` without its row count.

    Inside atomic() a row count costs D1 a round trip (a rehearsal), and the commit must find it again; this costs
    nothing and the commit may find any number of rows. On other engines it is a plain update().
    """
    with_hint(queryset, Hint(counted=False)).update(**values)


def update_or_conflict(queryset: QuerySet[M], **values: Any) -> None:
    """`queryset.update(**values)` of exactly one row, which the queryset describes.

    Raises SerializationFailure when there is no such row or more than one: on D1 inside atomic() at the commit,
    without a round trip of its own; otherwise at once. Call it inside atomic(), so that a failure is rolled back.
    """
    _expect("update", queryset, 1, with_hint(queryset, Hint(count=1)).update(**values))


def delete_or_conflict(instance: Model, *conditions: Q | Exists, **values: Any) -> None:
    """`instance.delete()` of a row that is there and meets the conditions, which are those of `filter()`.

    What refers to the row is deleted or updated as its foreign keys say (on_delete), after the row itself, so that
    triggers can tell it from a deletion by itself. Nothing asks how many rows that is, nor for rows that protect this
    one (PROTECT): with one of them the commit raises IntegrityError. No signals are sent for `instance` itself, and its
    key stays.
    Raises SerializationFailure when there is no such row, as update_or_conflict() does. Call it inside atomic().
    """
    model = type(instance)
    using = router.db_for_write(model, instance=instance)
    collector = _UncountedCollector(using, origin=instance)
    collector.collect([instance])
    collector.data[model] = set(collector.data[model]) - {instance}
    row = model._base_manager.using(using).filter(*conditions, pk=instance.pk, **values)
    _expect("deletion", row, 1, with_hint(row, Hint(count=1))._raw_delete(using))
    collector.delete()


def delete_all_or_conflict(queryset: QuerySet[M], count: int) -> None:
    """Delete the rows that the queryset describes, to which no other row refers. There are `count`.

    Raises SerializationFailure when there are more or fewer, as update_or_conflict() does. No signals are sent. Call
    it inside atomic().
    """
    using = router.db_for_write(queryset.model)
    rows = with_hint(queryset.using(using), Hint(count=count))
    _expect("deletion", queryset, count, rows._raw_delete(using))


class _UncountedCollector(Collector):
    """Collects what refers to an object as Django does, for statements whose row counts are not wanted."""

    def related_objects(
        self, related_model: type[Model], related_fields: Iterable[Field], objs: "_IndexableCollection[Model]"
    ) -> QuerySet[Model]:
        fields = list(related_fields)
        if getattr(fields[0].remote_field, "on_delete", None) in (PROTECT, RESTRICT):
            return related_model._base_manager.none()
        return with_hint(super().related_objects(related_model, fields, objs), Hint(counted=False))


def _expect(what: str, queryset: QuerySet[M], expected: int, count: int) -> None:
    if count != expected:
        table = queryset.model._meta.db_table
        raise SerializationFailure(
            f"The {what} of rows of {table} found {count} instead of {expected}. Run it again."
        )


def insert_unkeyed(new: Model) -> None:
    """Store a new object whose key is not needed, so that D1 reserves none.

    Like save(force_insert=True), except that `new.pk` stays None and no signals are sent.
    """
    model = type(new)
    query = InsertQuery(model)
    fields = [field for field in model._meta.local_concrete_fields if not isinstance(field, AutoField)]
    query.insert_values(fields, [new])
    query.get_compiler(router.db_for_write(model)).execute_sql()
