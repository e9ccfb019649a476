"""Images in a folder of this host, served by uploads.views."""

import hashlib
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import IO

from django.core.files.storage import FileSystemStorage

from core.errors import Conflict, Unavailable
from uploads import signed_urls
from uploads.keys import DRAFTS
from uploads.metrics import measured
from uploads.storage.base import UNREACHABLE, StoredObject, checked_key

logger = logging.getLogger(__name__)


class FolderStorage(FileSystemStorage):
    """The image store on the disk of this host."""

    @measured("put")
    def put(self, key: str, data: bytes, content_type: str) -> None:
        with self.draft(key) as file:
            file.write(data)

    @contextmanager
    def draft(self, key: str, *, once: bool = False) -> Iterator[IO[bytes]]:
        """Open a binary file to write. It gets its key when the block ends, and is removed if the block raises.

        With `once`, raises Conflict if the key has an object already.
        """
        target = Path(self.path(checked_key(key)))
        drafts = Path(self.path(DRAFTS))
        with folder_errors():
            drafts.mkdir(parents=True, exist_ok=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(prefix="", dir=drafts)
        try:
            with folder_errors(), os.fdopen(descriptor, "wb") as file:
                yield file
                os.fchmod(file.fileno(), 0o644)
            with folder_errors():
                if once:
                    self.link_once(name, target)
                else:
                    os.replace(name, target)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(name)

    @staticmethod
    def link_once(name: str, target: Path) -> None:
        try:
            os.link(name, target)
        except FileExistsError:
            raise Conflict(
                "Something was uploaded to this address already.", code="already_uploaded"
            ) from None

    @measured("get")
    def get(self, key: str, max_bytes: int) -> StoredObject | None:
        try:
            with folder_errors(), open(self.path(checked_key(key)), "rb") as file:
                size = os.fstat(file.fileno()).st_size
                return StoredObject(size, file.read() if size <= max_bytes else b"")
        except FileNotFoundError:
            return None

    @measured("delete")
    def delete(self, name: str) -> None:
        with folder_errors():
            Path(self.path(checked_key(name))).unlink(missing_ok=True)

    def presign_put(
        self, key: str, content_type: str, size: int, lifetime: timedelta
    ) -> tuple[str, dict[str, str]]:
        ticket = signed_urls.sign(checked_key(key), content_type, size, lifetime)
        return f"{self.url(key)}?ticket={ticket}", {"Content-Type": content_type}

    def objects(self) -> Iterator[tuple[str, datetime]]:
        root = Path(self.location)
        for path in root.rglob("*"):
            with suppress(FileNotFoundError):
                if path.is_file():
                    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                    yield path.relative_to(root).as_posix(), changed

    def inventory(self) -> Iterator[tuple[str, int, str]]:
        """Yield key, size in bytes and ETag of each object, by key. The ETag is what S3 calls so: the MD5."""
        root = Path(self.location)
        for key in sorted(key for key, _ in self.objects()):
            with suppress(FileNotFoundError), folder_errors(), open(root / key, "rb") as file:
                etag = hashlib.file_digest(file, partial(hashlib.md5, usedforsecurity=False)).hexdigest()
                yield key, os.fstat(file.fileno()).st_size, etag


@contextmanager
def folder_errors() -> Iterator[None]:
    """Raise Unavailable for a full disk or a lost mount. The path stays in the log."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        logger.exception("the image folder failed")
        raise Unavailable(UNREACHABLE) from error
