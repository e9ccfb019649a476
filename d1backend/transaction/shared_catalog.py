"""The catalog of a database, shared by the connections of a process and, in a file, by the processes of a host.

A connection compares its version with the database's (protocol/schema_version.py) before it relies on it.
"""

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from d1backend.sql.catalog import QUERY, Catalog

log = logging.getLogger(__name__)

_MOST_DATABASES = 16
# By identity of the database. Only single operations on it, which are atomic, so threads need no lock.
_known: dict[str, Catalog] = {}


class SharedCatalog:
    """The catalog of the database with this identity; `folder` is the host's, None to share within the process."""

    def __init__(self, identity: str, folder: Path | None) -> None:
        self._identity = identity
        # Another query writes another file, so a version of this code never reads the rows of another.
        digest = hashlib.sha256(f"{identity}\n{QUERY}".encode()).hexdigest()
        self._digest = digest
        self._file = None if folder is None else folder / f"d1-catalog-{digest[:16]}.json"

    def find(self, version: str | None = None) -> Catalog | None:
        """The catalog that the process or the host holds; with `version`, only that one."""
        found = _known.get(self._identity)
        if found is None or (version is not None and found.version != version):
            found = self._load() or found
        return found if version is None or (found is not None and found.version == version) else None

    def keep(self, rows: Sequence[Sequence[Any]], version: str | None) -> Catalog:
        """Share the catalog with these rows of its query; one without a version is not shared."""
        catalog = Catalog(rows, version)
        if version is not None:
            self._remember(catalog)
            self._save(rows, version)
        return catalog

    def forget(self, catalog: Catalog) -> None:
        """Share this catalog no longer: it differs from the schema."""
        if _known.get(self._identity) is catalog:
            _known.pop(self._identity, None)
        if self._file is not None:
            stored = self._read()
            if stored is not None and stored[1] == catalog.version:
                with suppress(OSError):
                    self._file.unlink(missing_ok=True)

    def _remember(self, catalog: Catalog) -> None:
        _known[self._identity] = catalog
        for other in list(_known)[:-_MOST_DATABASES]:
            _known.pop(other, None)

    def _load(self) -> Catalog | None:
        stored = self._read()
        if stored is None:
            return None
        try:
            catalog = Catalog(*stored)
        except (AttributeError, TypeError, ValueError) as error:
            log.warning("The catalog in %s is damaged, and read from D1 again: %s", self._file, error)
            return None
        self._remember(catalog)
        return catalog

    def _read(self) -> tuple[list[list[Any]], str] | None:
        """The rows and the version in the file; None when it is missing, damaged or another user's."""
        if self._file is None:
            return None
        try:
            handle = os.open(self._file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            with open(handle, "rb") as file:
                if os.fstat(handle).st_uid != os.geteuid():
                    return None
                digest, checksum, content = file.read().split(b"\n", 2)
            if digest.decode() != self._digest or checksum.decode() != hashlib.sha256(content).hexdigest():
                return None
            version, rows = json.loads(content)
        except (OSError, ValueError):
            return None
        return rows, version

    def _save(self, rows: Sequence[Sequence[Any]], version: str) -> None:
        """Write the file as a whole, by a rename; without it, each process reads the catalog from D1 itself."""
        if self._file is None:
            return
        content = json.dumps([version, rows]).encode()
        checksum = hashlib.sha256(content).hexdigest()
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # mkstemp() makes files that only their owner may read.
            handle, name = tempfile.mkstemp(prefix=self._file.stem, dir=self._file.parent)
            try:
                with open(handle, "wb") as file:
                    file.write(b"\n".join([self._digest.encode(), checksum.encode(), content]))
                os.replace(name, self._file)
            except BaseException:
                os.unlink(name)
                raise
        except OSError as error:
            log.warning("The catalog cannot be shared with other processes: %s", error)


def forget() -> None:
    """Forget the catalogs of this process, for tests."""
    _known.clear()
