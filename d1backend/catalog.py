"""Which tables a statement touches without naming them: through views, triggers and cascading foreign
keys."""

from collections.abc import Iterable
from functools import lru_cache

from .sqltext import tokens_of

QUERY = (
    "SELECT type, lower(name), lower(tbl_name), sql FROM sqlite_master "
    "WHERE type IN ('view', 'trigger') AND name NOT GLOB '_d1_*' "
    "OR type = 'table' AND sql LIKE '%REFERENCES%ON %' AND name NOT GLOB '_cf_*'"
)


@lru_cache(maxsize=1024)
def _names(sql: str) -> frozenset[str]:
    return frozenset(t.name.lower() for t in tokens_of(sql) if t.kind in ("word", "quoted"))


class Catalog:
    """The views, triggers and cascades of a database, from the rows of `QUERY`."""

    def __init__(self, rows: Iterable[tuple[str, str, str, str]]) -> None:
        self._links: list[tuple[frozenset[str], frozenset[str]]] = []
        for kind, name, table, sql in rows:
            names = _names(sql)
            if kind == "trigger":
                self._links.append((frozenset([table]), names))
            else:
                # a view changes with what it reads; a table with cascades changes with what it refers to
                self._links.append((names - {name}, frozenset([name])))

    def reach(self, tables: frozenset[str]) -> frozenset[str]:
        """All names whose rows may have changed when these tables were written (lower case)."""
        if not self._links:
            return tables
        reached, before = set(tables), -1
        while len(reached) != before:
            before = len(reached)
            for sources, targets in self._links:
                if sources & reached:
                    reached |= targets
        return frozenset(reached)
