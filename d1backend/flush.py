"""The order in which `flush` empties tables."""

from collections.abc import Iterable

from django.apps import apps


def with_referring_first(tables: Iterable[str]) -> list[str]:
    """These tables, each before those that it refers to: a trigger may still look at the rows that a row belongs to."""
    parents = {
        model._meta.db_table: [
            field.related_model._meta.db_table
            for field in model._meta.local_concrete_fields
            if field.related_model is not None
        ]
        for model in apps.get_models(include_auto_created=True)
    }
    ordered: dict[str, None] = {}
    visited: set[str] = set()

    def visit(table: str) -> None:
        if table not in visited:
            visited.add(table)
            for parent in parents.get(table, ()):
                visit(parent)
            ordered[table] = None

    wanted = list(tables)
    for table in wanted:
        visit(table)
    return [table for table in reversed(ordered) if table in wanted]
