"""What a small backup and its restore cost on D1, and what becomes of them while D1 fails."""

import dataclasses
import subprocess
import sys
import uuid

import pytest

from core import replica, restores
from d1backend.options import Settings
from d1backend.protocol.api import Api
from devtools.fault_plan import PASSING, UNAVAILABLE, WRONG_TOKEN, every
from devtools.fault_proxy import FaultProxy
from devtools.serving import ROOT, new_server
from tests.engine import engine_environment

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not replica.is_used(), reason="only D1 with its replica (TEST_ENGINE=d1)"),
]
# They take 32 and 164. A restore migrates, and inserts and compares each of 29 tables.
MOST_OF_A_BACKUP, MOST_OF_A_RESTORE = 40, 180
FILL = (
    "from tests.factories.designs import DesignFactory, FavouriteFactory as F\n"
    "from tests.factories.accounts import UserFactory\n"
    "user = UserFactory()\n"
    "[F(user=user, design=DesignFactory()) for _ in range(4)]"
)


@pytest.fixture(scope="module")
def proxy():
    with FaultProxy(engine_environment()["CLOUDFLARE_D1_BASE_URL"]) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def server(tmp_path_factory, proxy):
    """A small gallery that does not run, whose D1 is behind the proxy."""
    data = tmp_path_factory.mktemp("gallery")
    environment = engine_environment() | {"CLOUDFLARE_D1_BASE_URL": proxy.url, "BACKUP_KEY": ""}
    server = new_server(data, **environment)
    server.set_up()
    server.manage("shell", "-c", FILL)
    return server


@pytest.fixture
def new_host(server, tmp_path, proxy):
    """A host with a new, empty database; through the proxy, which passes everything on at first."""
    proxy.plan = None
    (tmp_path / "data").mkdir()
    names = ("CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_D1_BASE_URL")
    api = Api(Settings(*(server.environment[name] for name in names)))
    identifier = api.create(f"restored-{uuid.uuid4().hex}")
    environment = {"DATA": str(tmp_path / "data"), "CLOUDFLARE_D1_DATABASE_ID": identifier}
    yield dataclasses.replace(server, data=tmp_path / "data", environment=server.environment | environment)
    proxy.plan = None
    api.close()


@pytest.fixture(scope="module")
def backup(server, proxy, tmp_path_factory):
    """A backup, by a host that has no copy of D1 yet; and how many requests it took."""
    place = tmp_path_factory.mktemp("backups")
    proxy.plan = None
    server.manage("backup", "--to", str(place))
    (path,) = place.iterdir()
    return path, proxy.count


def failing(server, *arguments):
    """What the command says; it fails, and by no traceback."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=server.environment, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    assert server.environment["CLOUDFLARE_API_TOKEN"] not in done.stderr
    return done.stderr


def test_a_small_backup_and_its_restore_take_few_requests(backup, new_host, proxy):
    path, taken = backup
    new_host.manage("restore", str(path))
    assert taken <= MOST_OF_A_BACKUP
    assert proxy.count <= MOST_OF_A_RESTORE


def test_a_backup_and_its_restore_while_each_fourth_request_fails(server, new_host, proxy, tmp_path):
    proxy.plan = every(4, PASSING)
    server.manage("backup", "--to", str(tmp_path / "b"))
    (path,) = (tmp_path / "b").iterdir()
    assert "all equal" in new_host.manage("restore", str(path))
    assert set(proxy.faults) == {fault.name for fault in PASSING}


@pytest.mark.parametrize("begin", [1, 4])
def test_a_backup_waits_for_an_outage(server, proxy, tmp_path, begin):
    """Of more requests than a call of anybody else is tried: before its copy is filled, and while it is."""
    proxy.plan = lambda number, request: UNAVAILABLE if begin <= number < begin + 7 else None
    server.manage("backup", "--to", str(tmp_path / "b"))
    assert len(proxy.faults) == 7
    assert len(list((tmp_path / "b").glob("*.backup"))) == 1


@pytest.mark.parametrize("at", [2, 9, 16])
def test_a_backup_leaves_nothing_when_d1_goes_away(server, backup, new_host, proxy, tmp_path, at):
    proxy.plan = lambda number, request: WRONG_TOKEN if number > at else None
    assert "CommandError: " in failing(new_host, "backup", "--to", str(tmp_path / "b"))
    assert not list((tmp_path / "b").glob("*"))


@pytest.mark.parametrize("at", [20, 90])
def test_a_restore_says_that_it_is_unfinished_when_d1_goes_away(backup, new_host, proxy, at):
    path, _ = backup
    proxy.plan = lambda number, request: WRONG_TOKEN if number > at else None
    assert "The new database is unfinished" in failing(new_host, "restore", str(path))
    proxy.plan = None
    assert "An earlier restore into this database has not finished" in failing(new_host, "restore", str(path))
    assert restores.SENTENCE in failing(new_host, "backup", "--to", str(new_host.data / "b"))
