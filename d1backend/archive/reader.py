"""Reads an archive part after part, from any part on; a thread reads ahead, and a store that hangs is given up."""

from collections.abc import Iterator
from functools import partial

from d1backend.archive.ahead import called_ahead
from d1backend.archive.crypto import ArchiveKey, KeyRing, digest_of
from d1backend.archive.format import (
    MANIFEST,
    ArchiveError,
    Manifest,
    Part,
    decode_manifest,
    decode_rows,
    decompress,
    part_name,
)
from d1backend.archive.store import Origin
from d1backend.sql.values import Value

Rows = list[list[Value]]


class ArchiveReader:
    """A finished archive."""

    def __init__(self, store: Origin, key: ArchiveKey, manifest: Manifest) -> None:
        self._store, self._key, self.manifest = store, key, manifest

    @classmethod
    def open(cls, store: Origin, keys: KeyRing, digest: str | None = None) -> "ArchiveReader":
        """Read the manifest; with `digest`, of the archive whose finish() returned that.

        Raises ArchiveError when there is none, or it is another, damaged, or encrypted with another key.
        """
        (stored,) = called_ahead([partial(store.read, MANIFEST)])
        if digest is not None and digest_of(stored) != digest:
            raise ArchiveError(f"its {MANIFEST} is damaged or of another archive")
        key, data = keys.open_manifest(stored)
        return cls(store, key, decode_manifest(data))

    def read_part(self, number: int) -> Rows:
        """The rows of a part, counted from 0. Raises ArchiveError when it is missing or not as it was written."""
        return self._decode(number, self._read(number))

    def check(self) -> None:
        """Read every part, without its rows. Raises ArchiveError when one is missing or not as it was written."""
        for _ in called_ahead([partial(self._read, number) for number in range(len(self.manifest.parts))]):
            pass

    def _read(self, number: int) -> bytes:
        """The checked data of a part. Other threads go on meanwhile: what takes time here holds no lock of Python."""
        name, part = part_name(number), self.manifest.parts[number]
        stored = self._store.read(name)
        if digest_of(stored) != part.digest:
            raise ArchiveError(f"its {name} is damaged or of another archive")
        return decompress(name, self._key.unseal(name, stored))

    def _decode(self, number: int, data: bytes) -> Rows:
        name, part = part_name(number), self.manifest.parts[number]
        rows = decode_rows(name, data)
        if len(rows) != part.rows:
            raise ArchiveError(f"its {name} has {len(rows)} rows instead of {part.rows}")
        return rows

    def parts(self, start: int = 0) -> Iterator[tuple[Part, Rows]]:
        """Each part from number `start` on, and its rows.

        Raises ArchiveError as read_part() does, and when a part does not come.
        """
        numbers = range(start, len(self.manifest.parts))
        # Rows take five times the memory of their data, so they are made when they are needed.
        for number, data in zip(
            numbers, called_ahead([partial(self._read, n) for n in numbers]), strict=True
        ):
            yield self.manifest.parts[number], self._decode(number, data)
