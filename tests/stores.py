"""The two places where images lie, for tests that promise the same of both.

`image_store` runs a test twice: on a folder, and on SeaweedFS behind a proxy that refuses what R2 refuses.
"""

import os
import uuid
from urllib.parse import urlsplit

import pytest
import requests
from django.core.files.storage import storages

from devtools.s3_server import s3_client, shared
from devtools.store_proxy import StoreProxy

ORIGIN = "https://app.example"


class FolderStore:
    """What a test may do with the folder behind the gallery's back."""

    name = "folder"

    def __init__(self, folder):
        self.folder = folder

    @property
    def settings(self):
        options = {"location": self.folder, "base_url": "/media/"}
        return {"BACKEND": "uploads.storage.folder.FolderStorage", "OPTIONS": options}

    def listed(self):
        return sorted(key for key, _ in storages["default"].objects())

    def read(self, key):
        return (self.folder / key).read_bytes()

    def write(self, key, data, content_type=""):
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def send(self, client, address, data, headers):
        """PUT as a client of the presigned address would; the status."""
        parts = urlsplit(address)
        typed = dict(headers)
        response = client.put(
            f"{parts.path}?{parts.query}", data, content_type=typed.pop("Content-Type", ""), headers=typed
        )
        return response.status_code


class BucketStore:
    """What a test may do with the bucket behind the gallery's back, and the proxy before it."""

    name = "bucket"

    def __init__(self, server, proxy, bucket):
        self.server, self.proxy, self.bucket = server, proxy, bucket
        self.client = s3_client(server["endpoint"], server["access_key"], server["secret_key"])
        self.client.create_bucket(Bucket=bucket)

    @property
    def settings(self):
        options = {
            "access_key": self.server["access_key"],
            "secret_key": self.server["secret_key"],
            "bucket_name": self.bucket,
            "endpoint_url": self.proxy.endpoint,
            "public_url": "https://images.example",
        }
        return {"BACKEND": "uploads.storage.r2.R2Storage", "OPTIONS": options}

    def allow_origin(self, origin):
        """The bucket's CORS rules as docs/images.md gives them."""
        rule = {
            "AllowedOrigins": [origin],
            "AllowedMethods": ["GET", "PUT"],
            "AllowedHeaders": ["content-type", "if-none-match"],
            "MaxAgeSeconds": 3600,
        }
        self.client.put_bucket_cors(Bucket=self.bucket, CORSConfiguration={"CORSRules": [rule]})

    def listed(self):
        found = self.client.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return sorted(entry["Key"] for entry in found)

    def read(self, key):
        return self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def write(self, key, data, content_type):
        self.client.put_object(Bucket=self.bucket, Key=key, Body=data, ContentType=content_type)

    def send(self, client, address, data, headers):
        return requests.put(address, data, headers=headers, timeout=10).status_code

    def empty(self):
        for key in self.listed():
            self.client.delete_object(Bucket=self.bucket, Key=key)


@pytest.fixture(scope="session")
def bucket_store(tmp_path_factory, worker_id):
    alone = worker_id == "master"
    folder = tmp_path_factory.getbasetemp() if alone else tmp_path_factory.getbasetemp().parent
    server = shared(folder, os.getpid() if alone else os.getppid())
    proxy = StoreProxy(server["endpoint"])
    yield BucketStore(server, proxy, f"gallery-{uuid.uuid4().hex[:12]}")
    proxy.stop()


@pytest.fixture
def folder_store(tmp_path):
    return FolderStore(tmp_path / "media")


def use(store, settings):
    settings.STORAGES = {**settings.STORAGES, "default": store.settings}
    return store


@pytest.fixture(params=["folder", "bucket"])
def image_store(request, settings):
    """An empty store, which the settings name."""
    store = use(request.getfixturevalue(f"{request.param}_store"), settings)
    yield store
    if store.name == "bucket":
        assert store.proxy.refusals == []
        store.proxy.reset()
        store.empty()


@pytest.fixture
def bucket(bucket_store, settings):
    """The bucket alone, for what only a store over the network does."""
    yield use(bucket_store, settings)
    bucket_store.proxy.reset()
    bucket_store.empty()


@pytest.fixture
def folder(folder_store, settings):
    """The folder alone."""
    return use(folder_store, settings)
