"""The staff's synonyms as searches go by them, kept by this process for as long as the catalogue's version lasts."""

import threading

from django.db import router

from core import sql
from d1backend import ask_ahead
from designs.models import Synonym as StoredSynonym
from designs.search.synonyms import NO_SYNONYMS, Kind, Synonym, SynonymTable

READ = "SELECT kind, phrase, field, words FROM synonyms ORDER BY id"

Rows = list[tuple[str, str, str, str]]


class KnownSynonyms:
    """The table that was read last, the version it was read under, and its rows.

    Most changes of the version are of designs, and leave the rows as they were: the same rows are the same object, so
    that what is made of a table can be kept with it.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.version: str | None = None
        self.rows: Rows = []
        self.table: SynonymTable | None = None

    def at(self, version: str) -> SynonymTable:
        """The table under a version, which was read before this call."""
        with self.lock:
            if self.version == version and self.table is not None:
                return self.table
        rows = stored_rows()
        with self.lock:
            self.version = version
            return self.made_of(rows)

    def held(self) -> SynonymTable:
        """The table that this process read last, for a database that tells no version without a round trip.

        What asks that database then brings the rows along (stored_rows, keep): the next search goes by them. Within
        gather() a new process asks what follows without synonyms along with the rows, and once more with them.
        """
        table = self.table
        if table is not None:
            return table
        rows = ask_ahead(stored_rows, lambda: None)
        return NO_SYNONYMS if rows is None else self.keep(rows)

    def keep(self, rows: Rows) -> SynonymTable:
        """Go by these rows from now on, which were just read."""
        with self.lock:
            self.version = None
            return self.made_of(rows)

    def made_of(self, rows: Rows) -> SynonymTable:
        if self.table is None or rows != self.rows:
            self.rows, self.table = rows, table_of(rows)
        return self.table


def stored_rows() -> Rows:
    """The rows as they are stored now; a question for gather()."""
    alias = router.db_for_read(StoredSynonym, values_only=True)
    return [(kind, phrase, field, words) for kind, phrase, field, words in sql.rows(READ, (), alias)]


def table_of(rows: Rows) -> SynonymTable:
    return SynonymTable(
        Synonym(Kind(kind), phrase, field, tuple(words.split(", ")) if words else ())
        for kind, phrase, field, words in rows
    )


_known = KnownSynonyms()
synonyms_at = _known.at
synonyms_held = _known.held
keep_synonyms = _known.keep
