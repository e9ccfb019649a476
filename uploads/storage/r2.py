"""Images in a bucket of Cloudflare R2."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from core import r2
from core.errors import Unavailable
from uploads.metrics import measured
from uploads.storage.base import IMMUTABLE, UNREACHABLE, StoredObject, checked_key

logger = logging.getLogger(__name__)


class R2Storage(r2.Bucket):
    """The public bucket."""

    # A client is waiting: two attempts of a few seconds each, then a 503.
    CONFIG = r2.client_config(
        connect_timeout=3,
        read_timeout=6,
        retries={"mode": "standard", "total_max_attempts": 2},
        max_pool_connections=32,
    )
    WRITE_PAUSE = 1.1  # seconds

    def __init__(self, *, public_url: str, **options: Any) -> None:
        self.public_url = public_url.rstrip("/")
        super().__init__(**options)

    @cached_property
    def client(self) -> Any:
        """One client for all threads: boto3's clients are thread-safe and slow to create."""
        return self._create_session().client(
            "s3", region_name=self.region_name, endpoint_url=self.endpoint_url, config=self.client_config
        )

    def call(self, operation: Callable[..., Any], key: str, **arguments: Any) -> Any:
        """Return the response to one call about one object; None if the store has no such object."""
        try:
            with store_errors():
                return operation(Bucket=self.bucket_name, Key=key, **arguments)
        except MissingError:
            return None

    @measured("put")
    def put(self, key: str, data: bytes, content_type: str) -> None:
        arguments = {"Body": data, "ContentType": content_type, "CacheControl": IMMUTABLE}
        try:
            self.call(self.client.put_object, checked_key(key), **arguments)
        except TooSoonError:
            time.sleep(self.WRITE_PAUSE)
            self.call(self.client.put_object, key, **arguments)

    @measured("get")
    def get(self, key: str, max_bytes: int) -> StoredObject | None:
        response = self.call(self.client.get_object, checked_key(key))
        if response is None:
            return None
        size = response["ContentLength"]
        with response["Body"] as body, store_errors():
            return StoredObject(size, body.read() if size <= max_bytes else b"")

    @measured("exists")
    def exists(self, name: str) -> bool:
        return self.call(self.client.head_object, name) is not None

    @measured("delete")
    def delete(self, name: str) -> None:
        self.call(self.client.delete_object, checked_key(name))

    def url(self, name: str, *args: Any, **kwargs: Any) -> str:
        return f"{self.public_url}/{name}"

    def presign_put(
        self, key: str, content_type: str, size: int, lifetime: timedelta
    ) -> tuple[str, dict[str, str]]:
        parameters = {
            "Bucket": self.bucket_name,
            "Key": checked_key(key),
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

    def inventory(self) -> Iterator[tuple[str, int, str]]:
        """Yield key, size in bytes and ETag of each object, by key: a request for each 1,000."""
        with store_errors():
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket_name):
                for entry in page.get("Contents", ()):
                    yield entry["Key"], entry["Size"], entry["ETag"].strip('"')


class MissingError(Exception):
    """The store has no such object."""


class TooSoonError(Unavailable):
    """The store asks for a pause before the next write to this key."""


@contextmanager
def store_errors() -> Iterator[None]:
    """Raise Unavailable for each failure, without host or key in its message; MissingError if there is no object."""
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
