"""A private bucket of Cloudflare R2, for what has no public address: snapshots of the replica."""

from typing import Any

from botocore.config import Config
from storages.backends.s3 import S3Storage


class PrivateBucket(S3Storage):
    """A bucket behind R2's S3 API. Nobody waits for it, so a call is tried three times."""

    CONFIG = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        connect_timeout=3,
        read_timeout=10,
        retries={"mode": "standard", "total_max_attempts": 3},
    )

    def __init__(self, **options: Any) -> None:
        defaults = {"region_name": "auto", "default_acl": None, "client_config": self.CONFIG}
        super().__init__(**{**defaults, **options})
