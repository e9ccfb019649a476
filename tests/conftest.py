"""What every test may lean on: a clean cache, and the temporary folder removed at the end."""

import io
import shutil

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command

from tests.stores import bucket, bucket_store, folder, folder_store, image_store  # noqa: F401


def pytest_collection_modifyitems(items):
    """Tests that commit read from the replica, where there is one, as the server does; the others from D1."""
    for item in items:
        marker = item.get_closest_marker("django_db")
        if marker and marker.kwargs.get("transaction") and "databases" not in marker.kwargs:
            item.add_marker(
                pytest.mark.django_db(*marker.args, **marker.kwargs, databases="__all__"), append=False
            )


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The test databases, without the synonyms that a new one has, and the replica of the one on D1."""
    if "designs" in settings.INSTALLED_APPS:
        from designs.models import CatalogueVersion, Synonym

        with django_db_blocker.unblock():
            Synonym.objects.all().delete()
            CatalogueVersion.objects.all().delete()
    if "replica" in settings.DATABASES:
        with django_db_blocker.unblock():
            call_command("d1_replica", "fill", stdout=io.StringIO())


@pytest.fixture(autouse=True)
def _clean_cache():
    cache.clear()
    if hasattr(settings, "DATA"):  # d1backend's own tests know nothing of the gallery
        from core import limits
        from designs import counters, readings

        limits.host_cells.forget()
        readings.vocabularies.held.clear()
        counters._counts.pending.clear()
        counters._counts.searches.clear()
        counters._counts.file.unlink(missing_ok=True)


@pytest.fixture(autouse=True)
def _no_servers_of_this_machine(monkeypatch):
    """Leave the metrics of servers that other tests, or other people, have killed where they are."""
    monkeypatch.setattr("core.metrics_folder.parents", set)


@pytest.fixture
def deletions(settings, tmp_path):
    """A folder of its own for the ids of users who leave: the next test has users with the same ones."""
    storage = settings.STORAGES["deletions"]
    options = {**storage["OPTIONS"], "location": tmp_path / "deletions"}
    settings.STORAGES = {**settings.STORAGES, "deletions": {**storage, "OPTIONS": options}}
    return tmp_path / "deletions" / "deleted-users"


def pytest_unconfigure(config):
    shutil.rmtree(getattr(settings, "TEST_DATA", ""), ignore_errors=True)
