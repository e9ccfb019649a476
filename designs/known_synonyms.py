"""The staff's synonyms as searches go by them, kept by this process for as long as the catalogue's version lasts."""

import threading
import time

from django.db import router

from core import sql
from d1backend import ask_ahead
from designs.models import Synonym as StoredSynonym
from designs.search.synonyms import Kind, Synonym, SynonymTable

MOST_LAG = 15.0  # seconds, where no version is known
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
        self.read_at = 0.0  # time.monotonic(), where no version is known

    def at(self, version: str) -> SynonymTable:
        """The table under a version, which was read before this call."""
        with self.lock:
            if self.version == version and self.table is not None:
                return self.table
        rows = stored_rows()
        with self.lock:
            self.version = version
            return self.made_of(rows)

    def held(self) -> tuple[SynonymTable, bool]:
        """The table that this process read last, and whether it is so old that the rows should be asked for again.

        This is for a database that tells no version without a round trip. What asks that database brings the rows along
        (stored_rows, keep), and the next search goes by them. A new process lets its first search wait for them: within
        gather() they travel with what that search asks without them.
        """
        table, read_at = self.table, self.read_at
        if table is None:
            return table_of(ask_ahead(stored_rows, list)), True
        return table, time.monotonic() - read_at > MOST_LAG

    def keep(self, rows: Rows) -> SynonymTable:
        """Go by these rows from now on, which were just read."""
        with self.lock:
            self.version, self.read_at = None, time.monotonic()
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
