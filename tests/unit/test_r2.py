"""What the buckets share: botocore's descriptions of S3, of which each session would hold 13 MB."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.loaders import JSONFileLoader
from django.core.files.storage import storages

from core import r2
from gallery_project import starting

KINDS = ("PrivateBucket", "DeletionsBucket")


@pytest.fixture
def read(monkeypatch):
    """The files of descriptions that were read, in order; none is kept from before."""
    files: list[str] = []
    load_file = JSONFileLoader.load_file

    def noting(self, file_path):
        found = load_file(self, file_path)
        if found is not None:
            files.append(file_path)
        return found

    monkeypatch.setattr(JSONFileLoader, "load_file", noting)
    r2.descriptions.cache_clear()
    return files


@pytest.fixture
def buckets(settings):
    """Two buckets of the settings, each with the name of its class as its key."""
    settings.STORAGES = settings.STORAGES | {
        kind: {
            "BACKEND": f"core.r2.{kind}",
            "OPTIONS": {"access_key": kind, "secret_key": "a secret", "bucket_name": "b"},
        }
        for kind in KINDS
    }
    return [storages[kind] for kind in KINDS]


def test_a_server_reads_the_descriptions_of_s3_once_before_it_starts_workers(read, buckets):
    starting.load_what_workers_share()
    before = list(read)
    assert any("service-2" in file for file in before)
    for bucket in buckets:
        with ThreadPoolExecutor(2) as threads:
            connections = list(threads.map(lambda one: one.connection, [bucket] * 2))
        assert connections[0].meta.client.meta.region_name == "auto"
    assert read == before


def test_each_bucket_signs_with_its_own_keys(buckets):
    addresses = [bucket.connection.meta.client.generate_presigned_url("list_buckets") for bucket in buckets]
    assert all(f"Credential={kind}" in address for kind, address in zip(KINDS, addresses, strict=True))


def test_where_images_lie_in_a_folder_nothing_is_read(read):
    starting.load_what_workers_share()
    assert read == []
