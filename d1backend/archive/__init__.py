"""Archives of tables: compressed, encrypted, authenticated parts and a manifest, in any storage (docs/archive.md)."""

from d1backend.archive.crypto import KeyRing
from d1backend.archive.format import ArchiveError, Manifest, Part, Table
from d1backend.archive.reader import ArchiveReader
from d1backend.archive.store import StorageFolder, Store
from d1backend.archive.writer import ArchiveWriter

__all__ = [
    "ArchiveError",
    "ArchiveReader",
    "ArchiveWriter",
    "KeyRing",
    "Manifest",
    "Part",
    "StorageFolder",
    "Store",
    "Table",
]
