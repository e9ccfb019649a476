"""Which pictures a restored database may lack: the inventory in the backup beside what the image store has now."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from operations.backups.contents import PICTURES, Backup
from uploads.storage.base import configured_store

MOST_NAMED = 20
Entry = tuple[str, int, str]


@dataclass
class Missing:
    """The number of objects that are gone, and that are others now, and the first keys of both."""

    gone: int = 0
    changed: int = 0
    keys: list[str] = field(default_factory=list)

    def note(self, key: str) -> None:
        if len(self.keys) < MOST_NAMED:
            self.keys.append(key)


def missing_pictures(backup: Backup) -> Missing:
    """Compare the inventory with the image store, both by key. Raises Unavailable."""
    found = Missing()
    stored: Iterator[Entry] = iter(configured_store().inventory())
    now = next(stored, None)
    for key, size, etag in _inventory(backup):
        while now is not None and now[0] < key:
            now = next(stored, None)
        if now is None or now[0] != key:
            found.gone += 1
            found.note(key)
        elif not _is_same((size, etag), now[1:]):
            found.changed += 1
            found.note(key)
    return found


def _inventory(backup: Backup) -> Iterable[Entry]:
    numbers = [n for n, part in enumerate(backup.archive.manifest.parts) if part.table == PICTURES.name]
    for number in numbers:
        for key, size, etag in backup.archive.read_part(number):
            yield str(key), int(size or 0), str(etag)


def _is_same(had: tuple[int, str], has: tuple[int, str]) -> bool:
    """An ETag with a hyphen is of an upload in parts, and tells nothing about the same object elsewhere."""
    return had[0] == has[0] and (had[1] == has[1] or "-" in had[1] or "-" in has[1])
