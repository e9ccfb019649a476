"""What the buckets share: botocore's descriptions of S3, of which each session would hold 13 MB."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.loaders import JSONFileLoader

from core import r2


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


def test_buckets_and_threads_read_the_descriptions_of_s3_once(read):
    r2.load_descriptions()
    before = list(read)
    assert any("service-2" in file for file in before)
    for bucket in (r2.PrivateBucket(), r2.DeletionsBucket()):
        with ThreadPoolExecutor(2) as threads:
            connections = list(threads.map(lambda one: one.connection, [bucket] * 2))
        assert connections[0].meta.client.meta.region_name == "auto"
    assert read == before


def test_each_bucket_signs_with_its_own_keys(read):
    buckets = [
        r2.PrivateBucket(access_key=key, secret_key=f"{key} secret", bucket_name="b")
        for key in ("one", "two")
    ]
    addresses = [bucket.connection.meta.client.generate_presigned_url("list_buckets") for bucket in buckets]
    assert ["Credential=one" in address for address in addresses] == [True, False]
    assert "Credential=two" in addresses[1]
