"""A database of its own for each test on the real engine, reached through the proxy as the alias "faulty"."""

import time
import uuid
from types import SimpleNamespace

import pytest
from django.db import connections

from d1backend.local import D1Local, workerd_binary
from d1backend.options import Settings
from d1backend.protocol import breaker, breaker_state, rate_limit
from d1backend.protocol.api import Api
from devtools.fault_proxy import FaultProxy
from tests.d1.faults.models import MODELS

TOKEN = "a-token-that-must-never-show"
ALIAS = "faulty"
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
def connect(_proxy, django_db_blocker):
    """A function that makes an alias for a database reached through the proxy, with these OPTIONS."""
    made = []

    def connect(alias, database, **options):
        options = {
            **PATIENCE,
            "account_id": "an-account",
            "api_token": TOKEN,
            "base_url": _proxy.url,
            **options,
        }
        connections.settings[alias] = connections.configure_settings(
            {
                "default": {"ENGINE": "d1backend"},
                alias: {"ENGINE": "d1backend", "NAME": database, "OPTIONS": options},
            }
        )[alias]
        made.append(alias)
        return connections[alias]

    with django_db_blocker.unblock():
        yield connect
        for alias in made:
            connections[alias].close()
            del connections[alias], connections.settings[alias]


@pytest.fixture
def faulty(connect, engine):
    """A connection to a fresh database with the tables of models.py."""
    api = Api(Settings("an-account", TOKEN, engine.url))
    database = api.create(f"faults-{uuid.uuid4().hex}")
    connection = connect(ALIAS, database)
    with connection.schema_editor() as editor:
        for model in MODELS:
            editor.create_model(model)
    yield connection
    api.delete(database)
    api.close()


@pytest.fixture
def truth(engine, faulty):
    """What the engine holds, asked behind the proxy's back."""
    api = Api(Settings("an-account", TOKEN, engine.url))

    def ask(sql):
        return api.batch(faulty.settings_dict["NAME"], [(sql, [])])[0]["rows"]

    yield ask
    api.close()


@pytest.fixture
def of_host(connect, faulty, tmp_path):
    """A function that makes a connection of a server of this host, which has a breaker."""

    def of_host(alias, **options):
        options = {"folder": tmp_path / "host", "most_calls": 3, "timeout": 1.2, "retries": 0, **options}
        return connect(alias, faulty.settings_dict["NAME"], **options)

    return of_host


@pytest.fixture
def later(monkeypatch):
    """A function that lets the breaker's clock go on, or back."""
    gone = []
    clock = SimpleNamespace(time=lambda: time.time() + sum(gone), monotonic=time.monotonic, sleep=time.sleep)
    monkeypatch.setattr(breaker_state, "time", clock)
    monkeypatch.setattr(breaker, "time", clock)
    return gone.append
