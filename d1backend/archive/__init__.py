"""Archives of tables: compressed, encrypted, authenticated parts and a manifest, in any storage (docs/archive.md)."""

from d1backend.archive.container import ContainerReader, ContainerWriter
from d1backend.archive.crypto import KeyRing
from d1backend.archive.format import ArchiveError, Json, Manifest, Part, RowsDigest, Table, encode_rows
from d1backend.archive.reader import ArchiveReader
from d1backend.archive.store import StorageFolder, Store
from d1backend.archive.writer import ArchiveWriter

__all__ = [
    "ArchiveError",
    "ArchiveReader",
    "ArchiveWriter",
    "ContainerReader",
    "ContainerWriter",
    "Json",
    "KeyRing",
    "Manifest",
    "Part",
    "RowsDigest",
    "StorageFolder",
    "Store",
    "Table",
    "encode_rows",
]
