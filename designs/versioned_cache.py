"""What a process keeps of the catalogue, by the version it was read under.

The version is two random strings that triggers replace when the catalogue changes (designs.triggers). What was read
while the version stayed the same holds for as long as that version does: no clock is involved.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import partial
from typing import Generic, NamedTuple, TypeVar

from django.db import connections, router

from core import sql
from designs.metrics import LOOKUPS
from designs.models import CatalogueVersion

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Version(NamedTuple):
    """`listing` changes with all that lists find and show except likes and views, `content` with likes too."""

    listing: str
    content: str


def current_version() -> Version | None:
    """The version as it is now; None if asking takes a round trip, or if nothing was ever stored."""
    alias = router.db_for_read(CatalogueVersion, values_only=True)
    if hasattr(connections[alias], "round_trips"):
        return None
    found = sql.kept_rows("SELECT listing, content FROM catalogue_version", (), alias)
    return Version(*found[0]) if found else None


class VersionedCache(Generic[V]):
    """What this process read, by the version it was read under and a key.

    What was read under an older version goes at once, and else the least recently used.
    """

    def __init__(self, name: str, size: int) -> None:
        self.size = size
        self.current: Version | None = None
        self.hits, self.misses = LOOKUPS.labels(name, "hit"), LOOKUPS.labels(name, "miss")
        self.lock = threading.Lock()
        self.entries: OrderedDict[tuple[str, Hashable], V] = OrderedDict()

    def get(self, version: str, key: Hashable, load: Callable[[], V], loaded: "Loaded | None" = None) -> V:
        """The value of a key; `load` reads it if it is not cached under `version`, which was read before.

        With `loaded` it is noted there, to be cached by keep().
        """
        entry = (version, key)
        with self.lock:
            if entry in self.entries:
                self.entries.move_to_end(entry)
                self.hits.inc()
                return self.entries[entry]
        self.misses.inc()
        value = load()
        self.note(version, {key: value}, loaded)
        return value

    def get_many(
        self,
        version: str,
        keys: Iterable[K],
        load: Callable[[list[K]], dict[K, V]],
        loaded: "Loaded | None" = None,
    ) -> dict[K, V]:
        """The values of several keys; `load` reads those that are not cached, and may leave some out."""
        found: dict[K, V] = {}
        missing: list[K] = []
        with self.lock:
            for key in keys:
                entry = (version, key)
                if entry in self.entries:
                    self.entries.move_to_end(entry)
                    found[key] = self.entries[entry]
                else:
                    missing.append(key)
        self.hits.inc(len(found))
        if missing:
            self.misses.inc(len(missing))
            values = load(missing)
            found |= values
            self.note(version, values, loaded)
        return found

    def note(self, version: str, values: Mapping[K, V], loaded: "Loaded | None") -> None:
        """Note what was read in `loaded`, or cache it at once without."""
        noted: Loaded = [] if loaded is None else loaded
        noted.append((version, partial(self.add, version, values)))
        if loaded is None:
            keep(noted)

    def add(self, version: str, values: Mapping[K, V], current: Version) -> None:
        with self.lock:
            if current != self.current:
                for entry in [entry for entry in self.entries if entry[0] not in current]:
                    del self.entries[entry]
                self.current = current
            self.entries.update({(version, key): value for key, value in values.items()})
            while len(self.entries) > self.size:
                self.entries.popitem(last=False)


# What was read under a version, and the functions that cache it, given the version that is current.
Loaded = list[tuple[str, Callable[[Version], None]]]


def keep(loaded: Loaded) -> bool:
    """Cache what was read, if its version is still that of the catalogue; forget it otherwise.

    Return whether all of it was of that version: else it may be of several states.
    """
    if not loaded:
        return True
    is_whole = False
    if version := current_version():
        current = [add for read_under, add in loaded if read_under in version]
        for add in current:
            add(version)
        is_whole = len(current) == len(loaded)
    loaded.clear()
    return is_whole
