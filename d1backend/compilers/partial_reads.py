"""Reads of some fields of an object that has others already (deferred fields, refresh_from_db(fields=…))."""

from typing import Any

from django.db.models.sql import compiler

from d1backend.aliases import ReadAlias


class NotesPartialReads(compiler.SQLCompiler):
    """Keeps an object as old as the fields that a query does not read."""

    def execute_sql(self, *args: Any, **kwargs: Any) -> Any:
        using = self.using
        if isinstance(using, ReadAlias):
            names, deferred = self.query.deferred_loading
            if names or not deferred:
                using.note_partial_read()
        return super().execute_sql(*args, **kwargs)
