"""The system check that keeps `migrate` away from the seed's own database."""

from collections.abc import Sequence

from django.apps import AppConfig
from django.core.checks import Error, Tags, register
from django.db import connections

from operations.seed.source import MAKE_ANOTHER


@register(Tags.database)
def database_is_no_seed(
    app_configs: Sequence[AppConfig] | None = None, databases: Sequence[str] | None = None, **options: bool
) -> list[Error]:
    """Return an error for a database with the seed's tables, in which `migrate` finds its own names taken."""
    return [
        Error("This database is the seed's.", hint=MAKE_ANOTHER, id="operations.E001")
        for alias in databases or ()
        if alias == "default" and is_seed(alias)
    ]


def is_seed(alias: str) -> bool:
    """Whether the database has users, and never met a migration."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
    return "users" in tables and "django_migrations" not in tables
