"""Hosts that each have a replica of one new database on the real engine, reached through a proxy."""

import uuid
from typing import Any

import pytest
from django.db import connections, router

from d1backend.local import D1Local, workerd_binary
from d1backend.options import Settings
from d1backend.protocol import breaker, rate_limit
from d1backend.protocol.api import Api
from d1backend.replica import registry, sync
from d1backend.replica.installation import install_log
from d1backend.replica.router import ReplicaRouter
from d1backend.replica.source import Source
from devtools.fault_proxy import FaultProxy
from tests.d1.replica.hosts import OneHost, add_host, create_tables, remove_host

TOKEN = "a-token"
PATIENCE = {"timeout": 2.0, "connect_timeout": 2.0, "retries": 5, "retry_budget": 10.0, "retry_pause": 0.002}


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
