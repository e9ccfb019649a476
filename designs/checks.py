"""System checks of the catalogue."""

from collections.abc import Sequence

from django.apps import AppConfig
from django.core.checks import Error, register
from django.db import connection


@register()
def database_speaks_sqlite(**options: bool | Sequence[str] | Sequence[AppConfig] | None) -> list[Error]:
    """Search, like counts and view counts are SQL that only SQLite and D1 understand (designs.triggers)."""
    if connection.vendor == "sqlite":
        return []
    return [
        Error(
            f"The catalogue does not run on {connection.vendor}.",
            hint="Set the variables of Cloudflare D1, or let DATABASE_URL name a SQLite file (sqlite:////…).",
            id="designs.E001",
        )
    ]
