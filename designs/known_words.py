"""The words that corrections may lead to: those of titles and attributes that a caller may see.

Each process keeps them, as of a version of the catalogue. They may lag: they are read again when a search needs them,
at most once in MOST_LAG. The index (fts5vocab) cannot tell them, because it knows neither statuses nor trash.
"""

import threading
import time
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache, partial
from typing import NamedTuple

from django.db import router

from core import sql
from d1backend import gather
from designs.fields import FACET_FIELDS, Status
from designs.models import Design
from designs.search.sql import finds
from designs.search.tokens import fold, split
from designs.search.vocabulary import Vocabulary

MOST_LAG = 15.0  # seconds
TITLES_AT_ONCE = 2000  # joined to one text, which D1 limits to 2 MB
# Each is read from an index: of attributes the next value after each, of titles all.
TITLES = f"""
    SELECT group_concat(title, char(10)) FROM (
        SELECT title, row_number() OVER () / {TITLES_AT_ONCE} AS part FROM (
            SELECT DISTINCT d.title FROM {{first}} designs AS d WHERE d.status IN ({{statuses}})
        )
    ) GROUP BY part
"""  # noqa: S608 – made of constants
# What a query reads from first: a row unless an expression finds something, or the catalogue has that version.
UNLESS = (
    "(SELECT 1 WHERE NOT {found} AND (SELECT listing FROM catalogue_version) IS NOT %s) AS wanted CROSS JOIN"
)
NEXT_VALUES = """
    next_{field} (status, value) AS (
        SELECT s.status, (SELECT min({field}) FROM designs WHERE status = s.status) FROM {{first}} seen AS s
        UNION ALL SELECT n.status, (SELECT min(d.{field}) FROM designs AS d WHERE d.status = n.status
            AND d.{field} > n.value) FROM next_{field} AS n WHERE n.value IS NOT NULL
    )
"""
JOINED = "(SELECT group_concat(value, char(10)) FROM (SELECT DISTINCT value FROM next_{field}))"
VALUES = f"""
    WITH RECURSIVE seen (status) AS (VALUES {{rows}}), {", ".join(NEXT_VALUES.format(field=f) for f in FACET_FIELDS)}
    SELECT {", ".join(JOINED.format(field=f) for f in FACET_FIELDS)}
"""


Texts = tuple[str, list[str]]  # the version that they were read under, and the texts


class Held(NamedTuple):
    """A vocabulary, and the version that it was read under."""

    version: str
    vocabulary: Vocabulary
    read_at: float  # time.monotonic()


class Vocabularies:
    """The vocabularies of this process, by the statuses whose designs give their words."""

    def __init__(self) -> None:
        self.lock = threading.Lock()  # held while one is read
        self.held: dict[tuple[str, ...], Held] = {}

    def held_for(self, visible: tuple[str, ...]) -> Held | None:
        return self.held.get(statuses_of(visible))

    def keep(self, visible: tuple[str, ...], held: Held) -> None:
        self.held[statuses_of(visible)] = held

    def mark(self, version: str, visible: tuple[str, ...]) -> str:
        """The version of the words that a correction goes by now, under this version of the catalogue."""
        held = self.held_for(visible)
        return held.version if held is not None and is_fresh(held, version) else version

    def at(self, version: str, visible: tuple[str, ...]) -> Vocabulary:
        """The words under a version, which was read before, or some that are not too old."""
        with self.lock:
            held = self.held_for(visible)
            if held is None or not is_fresh(held, version):
                held = held_of(version, texts_of(statuses_of(visible)), held)
                self.keep(visible, held)
            return held.vocabulary

    def texts_unless(self, matching: str, visible: tuple[str, ...], held: Held | None) -> Texts | None:
        """The texts for a vocabulary, for a database whose version is not known.

        None if the expression finds something, or if `held` will do: it is not too old, or has the version.
        """
        if held is not None and is_fresh(held, ""):
            return None
        first = UNLESS.format(found=finds("%s", visible))
        parameters = [matching, held.version if held else None]
        alias = router.db_for_read(Design, values_only=True)
        version = f"SELECT v.listing FROM {first} catalogue_version AS v"  # noqa: S608 – made of constants
        versions, texts = gather(
            partial(sql.rows, version, parameters, alias),
            partial(texts_of, statuses_of(visible), first, parameters),
        )
        return (versions[0][0], texts) if versions else None


def made_of(texts: Texts | None, held: Held | None) -> Held | None:
    """The vocabulary of these texts, else the one that is held."""
    return held if texts is None else held_of(*texts, held)


def held_of(version: str, texts: list[str], old: Held | None) -> Held:
    return Held(version, vocabulary_of(texts, old.vocabulary if old else None), time.monotonic())


def is_fresh(held: Held, version: str) -> bool:
    return held.version == version or time.monotonic() - held.read_at < MOST_LAG


@lru_cache(maxsize=32)
def statuses_of(visible: tuple[str, ...]) -> tuple[str, ...]:
    """The statuses whose designs give words; those in the trash give none to anyone."""
    return tuple(status.value for status in Status if status in visible and status != Status.DELETED)


def vocabulary_of(texts: Iterable[str], old: Vocabulary | None = None) -> Vocabulary:
    """The words of some texts, each with how often it stands there. An `old` vocabulary saves time."""
    spelled: Counter[str] = Counter()
    for text in texts:
        spelled.update(text.split())
    counts: Counter[str] = Counter()
    for word, count in spelled.items():
        for part in split(fold(word)):
            counts[part] += count
    return Vocabulary(counts.items(), old)


def texts_of(statuses: Collection[str], first: str = "", parameters: Sequence[str | None] = ()) -> list[str]:
    """The distinct titles of designs with these statuses, and their distinct values of each attribute, by lines.

    `first` is what the queries read from first, with its `parameters`: if it has no row, they read nothing else.
    """
    alias = router.db_for_read(Design, values_only=True)
    listed = ", ".join(f"'{status}'" for status in statuses)
    rows = ", ".join(f"('{status}')" for status in statuses)
    titles, values = gather(
        partial(sql.rows, TITLES.format(first=first, statuses=listed), parameters, alias),
        partial(sql.rows, VALUES.format(first=first, rows=rows), [*parameters] * len(FACET_FIELDS), alias),
    )
    return [text for row in (*titles, *values) for text in row if text]
