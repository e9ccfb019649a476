"""QuerySet.iterator() in pages: D1 has no cursors, and one answer of many rows may exceed its limits and our memory.

A page continues after the last primary key of the page before, so each row comes once, whatever is written meanwhile.
"""

from collections.abc import Iterator
from typing import Any

from django.db.models import Field, Q
from django.db.models.expressions import Col
from django.db.models.sql import Query
from django.db.models.sql.constants import MULTI
from django.db.models.sql.datastructures import Join

# Fewer rows in a page cost more requests than they spare memory.
SMALLEST_PAGE = 2000
_KINDS = {
    "AutoField",
    "BigAutoField",
    "SmallAutoField",
    "IntegerField",
    "BigIntegerField",
    "CharField",
    "UUIDField",
}


def pages_of(compiler: Any, size: int) -> Iterator[list[Any]] | None:
    """The rows of a query in pages of at least `size`; None when only one answer returns them in their order.

    Pages are possible when the order is by primary key alone, or there is none, and each object is one row that has
    its key. In a transaction a page would depend on what is written between the pages, so there is one answer.
    """
    if compiler.connection.in_atomic_block:
        return None
    direction = _direction(compiler.query)
    if direction is None or not _has_a_row_for_each_key(compiler.query):
        return None
    compiler.setup_query()
    key = compiler.query.get_meta().pk
    columns = [selected for selected, _, _ in compiler.select]
    at = next((i for i, column in enumerate(columns) if _is_key(column, key, compiler.query)), None)
    if at is None:
        return None
    return _pages(compiler, direction, at, max(size, SMALLEST_PAGE))


def _direction(query: Query) -> str | None:
    """ "" for keys that ascend, "-" for keys that descend, None for another order."""
    ordering: Any = query.extra_order_by or query.order_by
    if not ordering and query.default_ordering:
        ordering = query.get_meta().ordering
    if not ordering:
        return ""
    if not query.standard_ordering or len(ordering) != 1 or not isinstance(ordering[0], str):
        return None
    name = ordering[0].removeprefix("-")
    key = query.get_meta().pk
    # The name of a relation means the order of the related model.
    if name != "pk" and (name != key.name or key.is_relation):
        return None
    return "-" if ordering[0].startswith("-") else ""


def _has_a_row_for_each_key(query: Query) -> bool:
    if query.is_sliced or query.distinct or query.combinator or query.select_for_update or query.extra_tables:
        return False
    # A window sees the rows of one statement.
    if query.group_by is not None or any(a.contains_over_clause for a in query.annotations.values()):
        return False
    # A join to many rows repeats a key.
    joins = [alias for alias in query.alias_map.values() if isinstance(alias, Join)]
    fields: list[Any] = [join.join_field for join in joins]
    return all(field.many_to_one or field.one_to_one for field in fields) and _is_plain(query.get_meta().pk)


def _is_plain(key: Any) -> bool:
    """Whether the stored value of the key is one that a filter takes."""
    while key.remote_field is not None:
        key = key.target_field
    return key.get_internal_type() in _KINDS and not hasattr(key, "from_db_value")


def _is_key(column: Any, key: Field, query: Query) -> bool:
    return isinstance(column, Col) and column.target == key and column.alias == query.get_initial_alias()


def _pages(compiler: Any, direction: str, at: int, size: int) -> Iterator[list[Any]]:
    after = "pk__lt" if direction else "pk__gt"
    last: Any = None
    while True:
        query = compiler.query.clone()
        query.clear_ordering(force=True)
        query.add_ordering(f"{direction}pk")
        if last is not None:
            query.add_q(Q(**{after: last}))
        query.set_limits(high=size)
        page = query.get_compiler(compiler.using, compiler.connection, compiler.elide_empty)
        # The columns that the caller's compiler knows are those of this one.
        rows = [row for chunk in page.execute_sql(MULTI) or () for row in chunk]
        if rows:
            yield rows
        if len(rows) < size:
            return
        last = rows[-1][at]
