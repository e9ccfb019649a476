"""An UPDATE whose row count nobody wants to know."""

from typing import Any

from django.db import connections
from django.db.models import QuerySet

from .connection import Connection


def update_uncounted(queryset: QuerySet[Any], **values: Any) -> None:
    """`queryset.update(**values)` without its row count.

    Inside atomic() a row count costs D1 a round trip (a rehearsal) and holds the commit to it; this costs nothing
    and holds it to nothing. On other engines it is a plain update().
    """
    queryset = queryset.all()
    queryset._for_write = True  # type: ignore[attr-defined]
    wrapper = connections[queryset.db]
    wrapper.ensure_connection()
    connection: Any = wrapper.connection
    if not isinstance(connection, Connection):
        queryset.update(**values)
        return
    connection.counting = False
    try:
        queryset.update(**values)
    finally:
        connection.counting = True
