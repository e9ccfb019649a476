"""What every test may lean on: a clean cache, and the temporary folder removed at the end."""

import shutil

import pytest
from django.conf import settings
from django.core.cache import cache

from tests.stores import bucket, bucket_store, folder, folder_store, image_store  # noqa: F401


@pytest.fixture(autouse=True)
def _clean_cache():
    cache.clear()


def pytest_unconfigure(config):
    shutil.rmtree(getattr(settings, "TEST_DATA", ""), ignore_errors=True)
