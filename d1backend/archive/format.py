"""What an archive consists of: the manifest, and the rows of a part as JSON text, exact for each value of SQLite.

A part holds consecutive rows of one table: a JSON array of rows, each an array of values in the order of the table's
columns. A BLOB is {"b": base64}. Infinity is written as Python's json does. Part and manifest are compressed with zlib.
"""

import base64
import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TypeAlias

from d1backend.sql.values import Row, Value

# Increase this when an older reader would misread an archive.
FORMAT = 1
MANIFEST = "manifest"
_COMPRESSION = 1  # level 6 takes four times the time for a tenth fewer bytes

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


class ArchiveError(Exception):
    """An archive that cannot be used; the message goes on after its name: "it is …"."""


@dataclass(frozen=True)
class Table:
    """A table of an archive: its columns in the order of the values, its key, the number and the digest of its rows."""

    name: str
    columns: tuple[str, ...]
    key: str
    rows: int = 0
    digest: str = ""


@dataclass(frozen=True)
class Part:
    """A part: its table, its number of rows, the key of the last one, and the stored bytes' size and SHA-256."""

    table: str
    rows: int
    last: Value
    size: int
    digest: str


@dataclass(frozen=True)
class Manifest:
    """All parts in the order in which they were written, and `facts` that the writer of the archive adds."""

    tables: tuple[Table, ...]
    parts: tuple[Part, ...]
    facts: Mapping[str, Json]

    def table(self, name: str) -> Table:
        return next(table for table in self.tables if table.name == name)


def part_name(number: int) -> str:
    """The name of a part, counted from 0."""
    return f"part-{number:06d}"


def _encode_blob(value: Value) -> dict[str, str]:
    if isinstance(value, bytes):
        return {"b": base64.b64encode(value).decode()}
    raise TypeError(f"An archive cannot hold {type(value).__name__}")


_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_encode_blob)
_decoder = json.JSONDecoder(object_hook=lambda found: base64.b64decode(found["b"]))


def encode_rows(rows: Sequence[Row]) -> bytes:
    """Rows as the inside of a JSON array, without its brackets; join_rows() makes a part of several."""
    return _encoder.encode(rows)[1:-1].encode()


class RowsDigest:
    """The SHA-256 of rows in their order, however they come in pages, and their number."""

    def __init__(self) -> None:
        self.rows, self._hash = 0, hashlib.sha256()

    def add(self, rows: int, encoded: bytes) -> None:
        """Add rows that encode_rows() encoded."""
        if self.rows:
            self._hash.update(b",")
        self._hash.update(encoded)
        self.rows += rows

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def join_rows(encoded: Iterable[bytes]) -> bytes:
    """The data of a part."""
    return zlib.compress(b"[" + b",".join(encoded) + b"]", _COMPRESSION)


def decompress(name: str, data: bytes) -> bytes:
    """The JSON text of the part `name`. Raises ArchiveError when the data is no compressed text."""
    try:
        return zlib.decompress(data)
    except zlib.error as error:
        raise ArchiveError(f"its {name} is not understood ({type(error).__name__})") from error


def decode_rows(name: str, text: bytes) -> list[list[Value]]:
    """The rows of the JSON text of the part `name`. Raises ArchiveError when it is no JSON."""
    try:
        rows: list[list[Value]] = _decoder.decode(text.decode())
    except ValueError as error:
        raise ArchiveError(f"its {name} is not understood ({type(error).__name__})") from error
    return rows


def encode_manifest(manifest: Manifest) -> bytes:
    return zlib.compress(_encoder.encode(asdict(manifest)).encode())


def decode_manifest(data: bytes) -> Manifest:
    """The manifest of its decrypted data. Raises ArchiveError when it does not fit this version."""
    try:
        found = json.loads(zlib.decompress(data))
        tables = tuple(Table(**{**table, "columns": tuple(table["columns"])}) for table in found["tables"])
        parts = tuple(Part(**part) for part in found["parts"])
        return Manifest(tables, parts, dict(found["facts"]))
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise ArchiveError(f"its {MANIFEST} is not understood ({type(error).__name__})") from error
