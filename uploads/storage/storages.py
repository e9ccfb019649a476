"""Where images lie: a folder of this host, or a bucket of Cloudflare R2, behind one small interface."""

import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.storage import FileSystemStorage, storages
from storages.backends.s3 import S3Storage

from core.errors import Conflict, Unavailable
from uploads import signed_urls
from uploads.keys import DRAFTS, content_type_of, is_own

logger = logging.getLogger(__name__)

IMMUTABLE = "public, max-age=31536000, immutable"
UNREACHABLE = "The image store is out of reach for the moment. Please try again."


@dataclass(frozen=True)
class Stored:
    """What lies under a key. `data` is empty where the object has more bytes than were asked for."""

    size: int  # bytes
    content_type: str
    data: bytes


class ImageStore(Protocol):
    """What the gallery asks of a store. Every call but `url` and `presign_put` may raise Unavailable."""

    def put(self, key: str, data: bytes, content_type: str) -> None:
        """Store an object, over any that lies there."""

    def get(self, key: str, most: int) -> Stored | None:
        """The object, with its bytes if they are at most `most`; None where there is none."""

    def exists(self, key: str) -> bool: ...

    def delete(self, key: str) -> None:
        """Remove the object; nothing happens where there is none."""

    def url(self, key: str) -> str:
        """Where the world reads the object: made without asking the store."""

    def presign_put(
        self, key: str, content_type: str, size: int, lifetime: timedelta
    ) -> tuple[str, dict[str, str]]:
        """An address that takes exactly `size` bytes of that type, where nothing lies; and the headers to send."""

    def objects(self) -> Iterator[tuple[str, datetime]]:
        """Every object's key and the time of its last change."""


def images() -> ImageStore:
    """The store of the settings."""
    return cast(ImageStore, storages["default"])


def checked(key: str) -> str:
    """The key, which must be one that uploads.keys knows: no other ever becomes a path or an address."""
    if not is_own(key):
        raise ValueError("This is no object key.")
    return key


class FolderStorage(FileSystemStorage):
    """A folder of this host, served by uploads.views."""

    def put(self, key: str, data: bytes, content_type: str) -> None:
        with self.draft(key) as file:
            file.write(data)

    @contextmanager
    def draft(self, key: str, *, once: bool = False) -> Iterator[Any]:
        """A binary file to write; under its key once the block ends well, and gone without a trace otherwise.

        `once`: raise Conflict where an object lies there already.
        """
        target = Path(self.path(checked(key)))
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

    def get(self, key: str, most: int) -> Stored | None:
        try:
            with folder_errors(), open(self.path(checked(key)), "rb") as file:
                size = os.fstat(file.fileno()).st_size
                return Stored(size, content_type_of(key), file.read() if size <= most else b"")
        except FileNotFoundError:
            return None

    def delete(self, name: str) -> None:
        with folder_errors():
            Path(self.path(checked(name))).unlink(missing_ok=True)

    def presign_put(
        self, key: str, content_type: str, size: int, lifetime: timedelta
    ) -> tuple[str, dict[str, str]]:
        ticket = signed_urls.sign(checked(key), content_type, size, lifetime)
        return f"{self.url(key)}?ticket={ticket}", {"Content-Type": content_type}

    def objects(self) -> Iterator[tuple[str, datetime]]:
        root = Path(self.location)
        for path in root.rglob("*"):
            with suppress(FileNotFoundError):
                if path.is_file():
                    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                    yield path.relative_to(root).as_posix(), changed


@contextmanager
def folder_errors() -> Iterator[None]:
    """A full disk or a lost mount is Unavailable; its path stays in the log."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        logger.exception("the image folder failed")
        raise Unavailable(UNREACHABLE) from error


class R2Storage(S3Storage):
    """A bucket of Cloudflare R2 behind its S3 API.

    What R2 takes and refuses: https://developers.cloudflare.com/r2/api/s3/api/. It knows no ACLs, tags or
    presigned POST, and no checksums but those asked for; a key takes one write a second.
    """

    # A caller waits: two tries of a few seconds, and then an honest 503.
    CONFIG = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        connect_timeout=3,
        read_timeout=6,
        retries={"mode": "standard", "total_max_attempts": 2},
        max_pool_connections=32,
    )
    WRITE_PAUSE = 1.1  # seconds

    def __init__(self, *, public_url: str, **options: Any) -> None:
        self.public_url = public_url.rstrip("/")
        defaults = {"region_name": "auto", "default_acl": None, "client_config": self.CONFIG}
        super().__init__(**{**defaults, **options})

    @cached_property
    def client(self) -> Any:
        """One for all threads: boto3's clients may be shared, and making one takes its time."""
        return self._create_session().client(
            "s3", region_name=self.region_name, endpoint_url=self.endpoint_url, config=self.client_config
        )

    def ask(self, call: Callable[..., Any], key: str, **arguments: Any) -> Any:
        """The answer to one call about one object; None where the store says there is none."""
        try:
            with store_errors():
                return call(Bucket=self.bucket_name, Key=key, **arguments)
        except MissingError:
            return None

    def put(self, key: str, data: bytes, content_type: str) -> None:
        arguments = {"Body": data, "ContentType": content_type, "CacheControl": IMMUTABLE}
        try:
            self.ask(self.client.put_object, checked(key), **arguments)
        except TooSoonError:
            time.sleep(self.WRITE_PAUSE)
            self.ask(self.client.put_object, key, **arguments)

    def get(self, key: str, most: int) -> Stored | None:
        answer = self.ask(self.client.get_object, checked(key))
        if answer is None:
            return None
        size = answer["ContentLength"]
        with answer["Body"] as body, store_errors():
            return Stored(size, answer.get("ContentType", ""), body.read() if size <= most else b"")

    def exists(self, name: str) -> bool:
        return self.ask(self.client.head_object, name) is not None

    def delete(self, name: str) -> None:
        self.ask(self.client.delete_object, checked(name))

    def url(self, name: str, *args: Any, **kwargs: Any) -> str:
        return f"{self.public_url}/{name}"

    def presign_put(
        self, key: str, content_type: str, size: int, lifetime: timedelta
    ) -> tuple[str, dict[str, str]]:
        parameters = {
            "Bucket": self.bucket_name,
            "Key": checked(key),
            "ContentType": content_type,
            "ContentLength": size,
            "IfNoneMatch": "*",
        }
        address = self.client.generate_presigned_url(
            "put_object", parameters, ExpiresIn=int(lifetime.total_seconds())
        )
        return address, {"Content-Type": content_type, "If-None-Match": "*"}

    def objects(self) -> Iterator[tuple[str, datetime]]:
        with store_errors():
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket_name):
                for entry in page.get("Contents", ()):
                    yield entry["Key"], entry["LastModified"]


class MissingError(Exception):
    """There is no such object."""


class TooSoonError(Unavailable):
    """The store wants a pause before the next write of this key."""


@contextmanager
def store_errors() -> Iterator[None]:
    """Each failure as Unavailable, said without host or key; MissingError where there is no object."""
    try:
        yield
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        code = error.response.get("Error", {}).get("Code")
        if code in ("NoSuchKey", "NotFound", "404"):
            raise MissingError from None
        logger.error("the image store refused %s: %s %s", error.operation_name, status, code)
        raise (TooSoonError if status == 429 else Unavailable)(UNREACHABLE) from error
    except (BotoCoreError, OSError) as error:
        logger.error("the image store failed: %s", type(error).__name__)
        raise Unavailable(UNREACHABLE) from error
