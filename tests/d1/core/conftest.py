"""The engine these tests run on: a workerd of their own for each worker, with databases that the tests
make."""

import os
from collections.abc import Iterator

import pytest
from django.db import connections, transaction

from d1backend.local import D1Local, workerd_binary
from d1backend.protocol.api import Api

if os.environ.get("DJANGO_SETTINGS_MODULE") != "tests.d1.settings":
    # They need the models of tests.d1.app: pytest tests/d1 --ds=tests.d1.settings
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def engine() -> Iterator[D1Local]:
    if workerd_binary() is None:
        pytest.skip("the local D1 engine is not installed: make d1-engine")
    with D1Local() as running:
        yield running


@pytest.fixture(scope="session")
def django_db_modify_db_settings(engine: D1Local) -> None:
    connections["default"].settings_dict["OPTIONS"]["base_url"] = engine.url


@pytest.fixture
def sent(monkeypatch):
    """The statements of each batch that is sent."""
    batches = []
    batch = Api.batch

    def noting(self, database, statements, **options):
        batches.append([sql for sql, _ in statements])
        return batch(self, database, statements, **options)

    monkeypatch.setattr(Api, "batch", noting)
    return batches


@pytest.fixture
def warm():
    """A process at work: its connection stands and it holds keys of the tables."""
    # Here, because the gallery's settings, with which this file is read too, do not have these models.
    from tests.d1.app.models import Author, Book

    with transaction.atomic():
        author = Author.objects.create(name="warm")
        Book.objects.create(title="warm", author=author)
        Author.objects.create(name="warm 2")
        Author.objects.create(name="warm 3")
