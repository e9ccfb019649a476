"""The staff's synonyms as searches read them, kept by this process for as long as the catalogue's version lasts."""

import threading

from django.db import router

from core import sql
from designs.models import Synonym as StoredSynonym
from designs.search.synonyms import NO_SYNONYMS, Kind, Synonym, SynonymTable

READ = "SELECT kind, phrase, field, words FROM synonyms ORDER BY id"

Rows = list[tuple[str, str, str, str]]


class ReadTable:
    """The table that was read last, the version it was read under, and its rows.

    Most changes of the version are of designs, and leave the rows as they were: the same rows are the same object, so
    that what is made of a table can be kept with it.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.version: str | None = None
        self.rows: Rows = []
        self.table = NO_SYNONYMS

    def at(self, version: str) -> SynonymTable:
        """The table under a version, which was read before this call."""
        with self.lock:
            if self.version == version:
                return self.table
        rows = stored_rows()
        with self.lock:
            self.version = version
            return self.of(rows)

    def read(self) -> SynonymTable:
        """The table as it is stored now, for databases that do not tell a version without a round trip."""
        rows = stored_rows()
        with self.lock:
            return self.of(rows)

    def of(self, rows: Rows) -> SynonymTable:
        if rows != self.rows:
            self.rows, self.table = rows, table_of(rows)
        return self.table


def stored_rows() -> Rows:
    alias = router.db_for_read(StoredSynonym, values_only=True)
    rows: Rows = [(kind, phrase, field, words) for kind, phrase, field, words in sql.rows(READ, (), alias)]
    return rows


def table_of(rows: Rows) -> SynonymTable:
    return SynonymTable(
        Synonym(Kind(kind), phrase, field, tuple(words.split(", ")) if words else ())
        for kind, phrase, field, words in rows
    )


_table = ReadTable()
synonyms_at = _table.at
read_synonyms = _table.read
