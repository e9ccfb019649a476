"""Buckets of Cloudflare R2 behind its S3 API: what every one needs, and the private one.

What R2 supports: https://developers.cloudflare.com/r2/api/s3/api/. It has no ACLs, tags or presigned POST, and only the
checksums that a call asks for. A key accepts one write per second.
"""

from functools import cache
from typing import Any, ClassVar

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader, create_loader
from storages.backends.s3 import S3Storage


def client_config(**limits: Any) -> Config:
    """Return the settings of boto3's client for R2, with these time limits and retries (names of botocore's Config)."""
    return Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        **limits,
    )


@cache
def descriptions() -> Loader:
    """Return what reads botocore's descriptions of S3: 13 MB, which each session would otherwise hold for itself."""
    return create_loader()


class Bucket(S3Storage):
    """A bucket whose client has the settings of the class's CONFIG."""

    CONFIG: ClassVar[Config]

    def __init__(self, **options: Any) -> None:
        defaults = {"region_name": "auto", "default_acl": None, "client_config": self.CONFIG}
        super().__init__(**{**defaults, **options})

    def _create_session(self) -> boto3.Session:
        """Return a new session: django-storages needs one for each bucket and thread."""
        session = botocore.session.get_session()
        session.register_component("data_loader", descriptions())
        return boto3.Session(self.access_key, self.secret_key, self.security_token, botocore_session=session)

    def load_descriptions(self) -> None:
        """Read what a connection needs, as a process does that forks others: those share it."""
        self._create_session().resource("s3", region_name=self.region_name)


class PrivateBucket(Bucket):
    """For what has no public address: snapshots of the replica. Nobody waits for it, so a call is tried three times."""

    CONFIG = client_config(
        connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3}
    )


class DeletionsBucket(Bucket):
    """The private bucket as the one who deletes their account waits for it."""

    CONFIG = client_config(
        connect_timeout=3, read_timeout=6, retries={"mode": "standard", "total_max_attempts": 2}
    )
