"""Writes an archive: table after table in parts, the manifest last. Memory holds one part at a time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from d1backend.archive.crypto import KeyRing, digest_of
from d1backend.archive.format import (
    MANIFEST,
    Json,
    Manifest,
    Part,
    RowsDigest,
    Table,
    encode_manifest,
    encode_rows,
    join_rows,
    part_name,
)
from d1backend.archive.store import Sink
from d1backend.sql.values import Row, Value

# The size that a part aims at, in bytes of JSON text.
_PART_TEXT = 2_000_000


class ArchiveWriter:
    """An archive that is being written. Without its manifest it is unfinished, and no reader opens it."""

    def __init__(self, store: Sink, keys: KeyRing) -> None:
        self._store, self._key = store, keys.new_key()
        self._tables: list[Table] = []
        self._parts: list[Part] = []

    def write_table(self, table: Table, pages: Iterable[Sequence[Row]]) -> int:
        """Write a table; its rows come in pages, which are joined to parts. Returns the number of rows."""
        key_at = table.columns.index(table.key)
        encoded: list[bytes] = []
        size = rows = 0
        last: Value = None
        digest = RowsDigest()
        for page in pages:
            if not page:
                continue
            encoded.append(encode_rows(page))
            digest.add(len(page), encoded[-1])
            size, rows, last = size + len(encoded[-1]), rows + len(page), page[-1][key_at]
            if size >= _PART_TEXT:
                self._write_part(table.name, encoded, rows, last)
                encoded, size, rows = [], 0, 0
        if rows:
            self._write_part(table.name, encoded, rows, last)
        self._tables.append(replace(table, rows=digest.rows, digest=digest.hexdigest()))
        return digest.rows

    def _write_part(self, table: str, encoded: list[bytes], rows: int, last: Value) -> None:
        name = part_name(len(self._parts))
        stored = self._key.seal(name, join_rows(encoded))
        self._store.write(name, stored)
        self._parts.append(Part(table, rows, last, len(stored), digest_of(stored)))

    def finish(self, facts: Mapping[str, Json]) -> str:
        """Write the manifest and return its digest, which names exactly this archive."""
        manifest = Manifest(tuple(self._tables), tuple(self._parts), facts)
        stored = self._key.seal(MANIFEST, encode_manifest(manifest))
        self._store.write(MANIFEST, stored)
        return digest_of(stored)
