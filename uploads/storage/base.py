"""What the gallery asks of an image store, whatever it is made of."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, cast

from django.core.files.storage import storages

from uploads.keys import is_own

IMMUTABLE = "public, max-age=31536000, immutable"
UNREACHABLE = "The image store is temporarily unavailable. Please try again."


@dataclass(frozen=True)
class StoredObject:
    """The object under a key. `data` is empty if the object has more bytes than the caller allowed."""

    size: int  # bytes
    data: bytes


class ImageStore(Protocol):
    """The calls of a store. All except `url` and `presign_put` may raise Unavailable."""

    def put(self, key: str, data: bytes, content_type: str) -> None:
        """Store an object. Replaces one that is there already."""

    def get(self, key: str, max_bytes: int) -> StoredObject | None:
        """Return the object, with its bytes if there are at most `max_bytes`; None if there is no object."""

    def exists(self, key: str) -> bool: ...

    def delete(self, key: str) -> None:
        """Remove the object. Does nothing if there is none."""

    def url(self, key: str) -> str:
        """Return the public URL of the object, without a call to the store."""

    def presign_put(
        self, key: str, content_type: str, size: int, lifetime: timedelta
    ) -> tuple[str, dict[str, str]]:
        """Return a URL that accepts exactly `size` bytes of that type, once; and the headers to send."""

    def objects(self) -> Iterator[tuple[str, datetime]]:
        """Yield the key and the time of the last change of every object."""

    def inventory(self) -> Iterator[tuple[str, int, str]]:
        """Yield key, size in bytes and ETag (S3's, the MD5) of every object, by key."""


def configured_store() -> ImageStore:
    """The store that STORAGES["default"] names."""
    return cast(ImageStore, storages["default"])


def checked_key(key: str) -> str:
    """Return the key. Raises ValueError for one that uploads.keys does not know: no other becomes a path or a URL."""
    if not is_own(key):
        raise ValueError("This is no object key.")
    return key
