"""What one caller reads of the catalogue: straight from the database, or from memory under the catalogue's version."""

from array import array
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import NamedTuple, Protocol

import orjson

from core.errors import NotFound
from d1backend import gather
from d1backend.waiting import about_to_take_long
from designs import selectors
from designs.completion import Suggestion, Texts, Typed
from designs.facet_columns import TooSparse
from designs.facets import Facets, facets_by_columns, facets_by_groups, facets_by_rows
from designs.fields import FACET_FIELDS, Status, Values
from designs.models import Design
from designs.places import (
    SHOWN_LAST,
    Ids,
    Part,
    Place,
    columns_of,
    part_of_rows,
    part_of_whole,
    place_by_ids,
    stored,
)
from designs.queries import DesignQuery, FavouritesQuery, Sort, for_values, ids_found, restrict_to_visible
from designs.read_model import (
    VOLATILE_FIELDS,
    Reader,
    read_designs,
    read_designs_of,
    read_volatile,
)
from designs.readings import as_read, first_reading, read_and_ask, reading_at, vocabularies
from designs.search.reading import Reading
from designs.suggestions import suggestions_among, suggestions_read, values_by_words
from designs.versioned_cache import Loaded, Version, VersionedCache, current_version, keep

# From this row on a page by number is cut out of the cached order of the whole list: to skip rows costs as many as
# are skipped.
DEEP = 400
LONGEST_SEARCH = 80  # characters, of which a reading is kept

Item = Values | orjson.Fragment


class Found(NamedTuple):
    """A part of a list by its ids: its total, which only a part by number has, its end, the reading of a search."""

    ids: Sequence[int]
    total: int | None = None
    end: Place | None = None
    reading: Reading | None = None


totals = VersionedCache[int]("totals", 4096)
parts = VersionedCache[Found]("parts", 4096)  # about a kilobyte each
id_lists = VersionedCache[Sequence[int]]("id_lists", 16)  # the ids of whole lists, of 8 bytes each
readings = VersionedCache[Reading]("readings", 1024)  # mostly a few kilobytes each
facet_counts = VersionedCache[Facets]("facet_counts", 128)  # about a hundred kilobytes each
known_values = VersionedCache[Texts]("known_values", 2)  # of all readers and of admins: about 5 MB at most
suggested = VersionedCache[list[Suggestion]]("suggested", 4096)  # about a kilobyte each
design_texts = VersionedCache[bytes]("design_texts", 8192)  # designs as JSON: about a kilobyte each


MOST_CHANGES = 3  # of the catalogue during a read, after each of which it is read again


class DesignPage(NamedTuple):
    """A part of a list: its total, which only a part by number has, its end (None if nothing follows), its reading."""

    items: Sequence[Item]
    total: int | None
    end: Place | None
    reading: Reading | None = None  # of a search


class Catalogue(Protocol):
    """The reads of one request, for one caller."""

    @property
    def version_key(self) -> str:
        """Changes with everything except views that a body shows; empty if bodies must be compared instead."""

    def reading_key(self, query: DesignQuery) -> str:
        """Changes, besides the version, with how a search is read."""

    def design_page(self, query: DesignQuery | FavouritesQuery, part: Part) -> DesignPage:
        """A part of a list."""

    def design(self, design_id: int) -> Values:
        """One design. Raises NotFound if there is none that the caller may see."""

    def similar(self, design_id: int, limit: int) -> Sequence[Item]:
        """Up to `limit` published designs nearest to that one. Raises as `design` does."""

    def facets(self, query: DesignQuery) -> Facets:
        """The facets of a query; the filter of a field does not narrow the counts of that field."""

    def suggestions(self, typed: Typed) -> list[Suggestion]:
        """What completes the words typed so far, of the designs that the caller may see outside the trash."""


def open_catalogue(user: Reader, base: str) -> Catalogue:
    """The catalogue as `user` reads it in one request; `base` precedes the key in the URL of an image."""
    version = current_version()
    return DirectCatalogue(user, base) if version is None else CachedCatalogue(user, base, version)


def read_search(query: DesignQuery) -> tuple[DesignQuery, Reading]:
    """The query with the words that its search finds, and how the search is read."""
    version = current_version()
    if version is None:
        reading, _ = read_and_ask(query, lambda read: None)
    else:
        catalogue = CachedCatalogue(None, "", version)
        reading = catalogue.reading(query)
        keep(catalogue.loaded)
    return as_read(query, reading), reading


class DirectCatalogue:
    """Each read comes from the database, in one round trip."""

    def __init__(self, user: Reader, base: str) -> None:
        self.user = user
        self.base = base

    @property
    def version_key(self) -> str:
        return ""

    def reading_key(self, query: DesignQuery) -> str:
        return ""

    def design_page(self, query: DesignQuery | FavouritesQuery, part: Part) -> DesignPage:
        if isinstance(query, DesignQuery) and query.text:
            reading, page = read_and_ask(query, lambda read: self.unindexed_page(read, part))
            return page._replace(reading=reading)
        if not query.has_index:
            return self.unindexed_page(query, part)
        keyed = query.keyed(part)
        read = partial(read_designs_of, self.user, keyed.values_list("pk", flat=True)[: part.size], self.base)
        if part.after is not None:
            designs, rows = gather(read, keyed)
            return DesignPage(designs, None, part_of_rows(part, rows).end)
        designs, rows, total = gather(read, keyed, query.unsorted.designs().count)
        return DesignPage(designs, total, part_of_rows(part, rows).end)

    def unindexed_page(self, query: DesignQuery | FavouritesQuery, part: Part) -> DesignPage:
        if part.after is not None:  # takes two round trips: what follows depends on the whole order
            found = part_of_whole(part, ids_of(query))
            return DesignPage(read_designs(self.user, found.ids, self.base), None, found.end)
        ids = query.ordered().values_list("pk", flat=True)
        designs, last, total = gather(
            partial(read_designs_of, self.user, ids[part.start : part.stop], self.base),
            ids[max(0, part.stop - SHOWN_LAST) : part.stop],
            query.unsorted.designs().count,
        )
        return DesignPage(designs, total, place_by_ids(part, last) if total > part.stop else None)

    def design(self, design_id: int) -> Values:
        found = read_designs(self.user, [design_id], self.base)
        sees_all = self.user is not None and self.user.is_admin
        if not found or not (sees_all or found[0]["status"] == Status.PUBLISHED):
            raise NotFound(selectors.NO_SUCH_DESIGN)
        return found[0]

    def similar(self, design_id: int, limit: int) -> Sequence[Item]:
        to = self.design(design_id)
        ids = selectors.designs_similar_to(design_id, to).values_list("pk", flat=True)[:limit]
        return read_designs_of(self.user, ids, self.base)

    def facets(self, query: DesignQuery) -> Facets:
        if not query.text:
            return facets_by_groups(query.unsorted)
        return read_and_ask(query.unsorted, facets_by_groups)[1]

    def suggestions(self, typed: Typed) -> list[Suggestion]:
        return suggestions_read(self.user, typed) if typed else []


class CachedCatalogue(DirectCatalogue):
    """The same, from memory as far as the version allows. Only what is volatile is read each time."""

    def __init__(self, user: Reader, base: str, version: Version) -> None:
        super().__init__(user, base)
        self.version = version
        self.loaded: Loaded = []  # asking for the version once is enough for all

    @property
    def version_key(self) -> str:
        return self.version.content

    def reading_key(self, query: DesignQuery) -> str:
        return vocabularies.mark(self.version.listing, query.visible) if query.text else ""

    def design_page(self, query: DesignQuery | FavouritesQuery, part: Part) -> DesignPage:
        page = self.design_page_now(query, part)
        for _ in range(MOST_CHANGES):
            if keep(self.loaded):
                break
            # A design that was hidden meanwhile must not show in a list that still had it.
            self.version = current_version() or self.version
            page = self.design_page_now(query, part)
        return page

    def design_page_now(self, query: DesignQuery | FavouritesQuery, part: Part) -> DesignPage:
        """The same; of several states where the version has changed by the end."""
        items: Sequence[Item]
        if query.sort is Sort.MOST_VIEWED:  # the order changes without the version
            found = self.found(query, part)
            items = read_designs(self.user, found.ids, self.base)
            self.loaded.append((self.version.listing, do_nothing))
        else:
            mark = self.reading_key(query) if isinstance(query, DesignQuery) else ""
            key, version = (query.key, part, mark), self.version_of(query)
            found = parts.get(version, key, lambda: self.found(query, part), self.loaded)
            items = self.fragments(found.ids)
        return DesignPage(items, found.total, found.end, found.reading)

    def version_of(self, query: DesignQuery | FavouritesQuery) -> str:
        """What the order of a list changes with."""
        by_likes = isinstance(query, FavouritesQuery) or query.sort is Sort.POPULAR
        return self.version.content if by_likes else self.version.listing

    def found(self, query: DesignQuery | FavouritesQuery, part: Part) -> Found:
        """A part of a list; whether the first reading finds anything need not be asked if the part has designs."""
        if not is_found_at_once(query, part):
            about_to_take_long()
        if not (isinstance(query, DesignQuery) and query.text):
            return self.found_as_read(query, part)
        reading = self.first_reading(query)
        found = self.found_as_read(as_read(query, reading), part)
        if not found.ids and (read := self.reading(query)) != reading:
            reading = read
            found = self.found_as_read(as_read(query, reading), part)
        return found._replace(reading=reading.shown)

    def first_reading(self, query: DesignQuery) -> Reading:
        """How the search of a query is read before any correction."""
        key = ("first", query.text, query.every_word, query.visible)
        return self.reading_of(query, key, lambda listing: first_reading(query, listing))

    def reading(self, query: DesignQuery) -> Reading:
        """How the search of a query is read."""
        mark = vocabularies.mark(self.version.listing, query.visible)
        key = (query.text, query.every_word, query.visible, mark)
        return self.reading_of(query, key, lambda listing: reading_at(query, listing))

    def reading_of(self, query: DesignQuery, key: Hashable, read: Callable[[str], Reading]) -> Reading:
        """A reading of a search; that of a long one takes up to 200 kB, and is not kept."""
        listing = self.version.listing
        if len(query.text) <= LONGEST_SEARCH:
            return readings.get(listing, key, lambda: read(listing), self.loaded)
        reading = read(listing)
        self.loaded.append((listing, do_nothing))
        return reading

    def found_as_read(self, query: DesignQuery | FavouritesQuery, part: Part) -> Found:
        """A part of a list whose search is read."""
        version = self.version_of(query)
        is_deep = part.start >= DEEP and version == self.version.listing
        if (
            isinstance(query, DesignQuery)
            and query.sort is not Sort.MOST_VIEWED
            and (not query.has_index or is_deep)
        ):
            whole = id_lists.get(version, query.key, lambda: ids_of(query), self.loaded)
            ids, end = part_of_cached(query, part, whole)
            return Found(ids, None if part.after else len(whole), end)
        ids, end = ids_part(query, part)
        if part.after is not None:
            return Found(ids, None, end)
        is_whole = part.start == 0 and end is None
        return Found(ids, len(ids) if is_whole else self.total(version, query), end)

    def total(self, version: str, query: DesignQuery | FavouritesQuery) -> int:
        """How many designs the query finds."""
        unsorted = query.unsorted
        return totals.get(version, unsorted.key, lambda: for_values(unsorted.designs()).count(), self.loaded)

    def similar(self, design_id: int, limit: int) -> Sequence[Item]:
        to = self.design(design_id)
        attributes = {name: to[name] for name in FACET_FIELDS}
        similar = selectors.designs_similar_to(design_id, attributes)
        nearest = for_values(similar).values_list("pk", flat=True)[:limit]
        key = ("similar", design_id, limit)
        found = parts.get(self.version.listing, key, lambda: Found(array("q", nearest)), self.loaded)
        fragments = self.fragments(found.ids)
        keep(self.loaded)
        return fragments

    def facets(self, query: DesignQuery) -> Facets:
        if query.text:
            counts = self.facets_of(as_read(query, self.first_reading(query)))
            if not counts["total"]:
                counts = self.facets_of(as_read(query, self.reading(query)))
        else:
            counts = self.facets_of(query)
        keep(self.loaded)
        return counts

    def facets_of(self, query: DesignQuery) -> Facets:
        """The facets of a query whose search is read."""
        unsorted = query.unsorted
        listing = self.version.listing
        return facet_counts.get(listing, unsorted.key, lambda: counted_facets(unsorted, listing), self.loaded)

    def suggestions(self, typed: Typed) -> list[Suggestion]:
        query, listing = restrict_to_visible(self.user, DesignQuery()), self.version.listing

        def complete() -> list[Suggestion]:
            values = known_values.get(listing, query, lambda: values_by_words(self.facets(query)["facets"]))
            return suggestions_among(values, typed, query, lambda: vocabularies.at(listing, query.visible))

        key = (query, typed, vocabularies.mark(listing, query.visible))
        return suggested.get(listing, key, complete) if typed else []

    def fragments(self, ids: Sequence[int]) -> list[orjson.Fragment]:
        """Designs as JSON, of which only the volatile fields are read and written each time."""
        base = self.base

        def load(keys: list[tuple[str, int]]) -> dict[tuple[str, int], bytes]:
            designs = read_designs(None, [design_id for _, design_id in keys], base)
            return {(base, design["id"]): cacheable_json(design) for design in designs}

        texts = design_texts.get_many(
            self.version.listing, [(base, design_id) for design_id in ids], load, self.loaded
        )
        return [
            orjson.Fragment(
                b'%s,"view_count":%d,"like_count":%d,"is_favorite":%s}'
                % (texts[base, design_id], views, likes, b"true" if is_favorite else b"false")
            )
            for design_id, views, likes, is_favorite in read_volatile(self.user, ids)
            if (base, design_id) in texts
        ]


def do_nothing(_: Version) -> None:
    """What keeps a read that is not cached."""


def is_found_at_once(query: DesignQuery | FavouritesQuery, part: Part) -> bool:
    """Whether an index finds a part of a list in no time, in the largest catalogue too: the first or next newest ones.

    A filter with a value that nobody has asked for takes up to a second, and so do deep pages, which load all ids.
    """
    if not isinstance(query, DesignQuery) or query.is_filtered or query.text or query.sort is not Sort.NEWEST:
        return False
    return part.after is not None or part.stop <= DEEP


def counted_facets(query: DesignQuery, version: str) -> Facets:
    try:
        return facets_by_columns(query, version)
    except TooSparse:
        return facets_by_rows(query) if query.is_narrow else facets_by_groups(query)


def ids_of(query: DesignQuery | FavouritesQuery) -> "array[int]":
    """The ids of the whole list."""
    return ids_found(query.ordered().values_list("pk", flat=True))


def ids_part(query: DesignQuery | FavouritesQuery, part: Part) -> Ids:
    """The ids of a part of a list."""
    if not query.has_index:
        return part_of_whole(part, ids_of(query))
    return part_of_rows(part, list(for_values(query.keyed(part))))


def part_of_cached(query: DesignQuery, part: Part, whole: Sequence[int]) -> Ids:
    """The same, cut out of the whole list."""
    found = part_of_whole(part, whole)
    if found.end is None or not query.has_index:
        return found
    keys = for_values(Design.objects.values_list(*columns_of(query.order)))
    # The last row may have been deleted in this moment.
    still_there = filter(None, (keys.filter(pk=design_id).first() for design_id in reversed(found.ids)))
    key = next(still_there, None)
    return found._replace(end=key and found.end._replace(key=stored(key)))


def cacheable_json(design: Values) -> bytes:
    """A design's JSON without its volatile fields and its closing brace."""
    return orjson.dumps({name: design[name] for name in design if name not in VOLATILE_FIELDS})[:-1]
