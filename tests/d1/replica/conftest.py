"""Hosts that each have a replica of one new database on the real engine, reached through a proxy."""

import uuid
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.db import connections, router

from d1backend.archive import writer
from d1backend.local import D1Local, workerd_binary
from d1backend.options import Settings
from d1backend.protocol import breaker, rate_limit
from d1backend.protocol.api import Api
from d1backend.replica import frozen_copy, registry, sync
from d1backend.replica.installation import install_log
from d1backend.replica.router import ReplicaRouter
from d1backend.replica.source import Source
from devtools.fault_proxy import FaultProxy
from devtools.time_travel import TimeTravel
from tests.d1.replica.models import MANY
from tests.d1.replica.one_host import OneHost, add_host, create_tables, remove_host

TOKEN = "a-token"
SECRET = "s" * 32
PATIENCE = {"timeout": 2.0, "connect_timeout": 2.0, "retries": 5, "retry_budget": 10.0, "retry_pause": 0.002}


class Odd(FileSystemStorage):
    """A folder that a test lets fail: `on_read` and `on_write` are called with the name."""

    on_read = on_write = staticmethod(lambda name: None)

    def _open(self, name, mode="rb"):
        self.on_read(name)
        return super()._open(name, mode)

    def _save(self, name, content):
        self.on_write(name)
        return super()._save(name, content)


@pytest.fixture(scope="session")
def engine():
    if workerd_binary() is None:
        pytest.skip("the local D1 engine is not installed: make d1-engine")
    with D1Local(token=TOKEN) as engine:
        yield engine


@pytest.fixture(scope="session")
def _proxy(engine):
    with FaultProxy(engine.url) as proxy:
        yield proxy


@pytest.fixture
def proxy(_proxy):
    yield _proxy
    rate_limit.forget()
    breaker.forget()
    _proxy.plan = None
    _proxy.come_up()


@pytest.fixture
def d1(engine):
    """Run statements on the database directly, without proxy and backend: `d1("SELECT 1")` returns rows."""
    api = Api(Settings("an-account", TOKEN, engine.url))
    database = api.create(f"replica-{uuid.uuid4().hex}")

    def ask(*statements: str) -> list[list[Any]]:
        return api.batch(database, [(sql, []) for sql in statements])[-1]["rows"]

    ask.database = database
    yield ask
    api.delete(database)
    api.close()


@pytest.fixture
def new_host(d1, _proxy, tmp_path, django_db_blocker, monkeypatch):
    """A function that creates a host: `new_host("a", max_age=60)`; `patience` are OPTIONS of its source."""
    made: list[OneHost] = []
    # Each sync compares the schema, except in the tests of how often it does.
    monkeypatch.setattr(sync, "_SCHEMA_AGE", 0.0)

    def new_host(name: str = "a", patience: dict[str, float] = PATIENCE, **options: Any) -> OneHost:
        source_options = {
            **PATIENCE,
            **patience,
            "account_id": "an-account",
            "api_token": TOKEN,
            "base_url": _proxy.url,
        }
        made.append(add_host(name, tmp_path, d1.database, source_options, **options))
        monkeypatch.setattr(router, "routers", [ReplicaRouter()])
        return made[-1]

    with django_db_blocker.unblock():
        yield new_host
        for host in made:
            remove_host(host)


@pytest.fixture
def schema(new_host):
    create_tables(connections[new_host("schema").source])


@pytest.fixture
def installed(schema, new_host):
    source = Source(registry.host_of("replica_schema").options, patient=True)
    install_log(source)
    source.close()


@pytest.fixture
def host(installed, new_host):
    """A host with a filled copy, which stays fresh for minutes."""
    host = new_host("a")
    host.sync()
    return host


@pytest.fixture
def other(installed, new_host):
    """A second host, with a directory of its own."""
    other = new_host("b")
    other.sync()
    return other


@pytest.fixture
def bucket(tmp_path, settings, monkeypatch):
    """The folder that stands for the private bucket."""
    folder = tmp_path / "bucket"
    settings.STORAGES = {
        **settings.STORAGES,
        "private": {"BACKEND": f"{__name__}.Odd", "OPTIONS": {"location": folder}},
    }
    monkeypatch.setattr(writer, "_PART_TEXT", 2000)
    monkeypatch.setattr(frozen_copy, "_PAGE", 10)
    return folder


@pytest.fixture
def host_with(bucket, new_host):
    def host_with(name, keys=(SECRET,), **options):
        return new_host(name, snapshots={"storage": "private", "keys": list(keys)}, **options)

    return host_with


@pytest.fixture
def writing(d1, installed, host_with):
    """A host with a full copy, of 300 designs and 40 tags."""
    d1(
        MANY.format(300, "words के लिए"),
        "UPDATE designs SET picture = x'00ff', view_count = 9223372036854775807",
    )
    d1(*(f"INSERT INTO tags (design_id, label) VALUES (1, 'x{i}')" for i in range(40)))
    d1("INSERT INTO people (name, password_hash) VALUES ('a', 'bcrypt$secret')")
    host = host_with("writing")
    host.sync()
    return host


@pytest.fixture
def running(d1, host, monkeypatch):
    """A host with 300 designs that has compared the schema, as it does every few minutes."""
    d1(MANY.format(300, ""))
    host.sync()
    monkeypatch.setattr(sync, "_SCHEMA_AGE", 600.0)
    return host


@pytest.fixture
def travel(engine, proxy):
    """Time Travel of D1, and at the end its copies are deleted."""
    with TimeTravel(engine.url, TOKEN) as travel:
        proxy.plan = travel
        yield travel
