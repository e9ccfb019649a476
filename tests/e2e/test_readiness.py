"""A new host of D1 answers health calls alone until its copy is filled, and never goes back."""

import dataclasses
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from devtools.fault_plan import SLOW_BEFORE, Fault, Request
from devtools.fault_proxy import FaultProxy
from devtools.ports import free_port
from devtools.serving import Server, new_server, serving
from devtools.waiting import wait_for
from tests.engine import engine_environment
from tests.scrape import Scrape

LIVE = "/health/live"  # answers from the start
# A row that a fill copies before users.
SETTING = "from core.models import AppSetting; AppSetting.objects.create(key='support_contact', value='asha')"


@pytest.fixture(scope="module")
def seeded(tmp_path_factory):
    """A gallery with an admin, on a database of its own on D1. It does not run."""
    environment = engine_environment()
    if not environment:
        pytest.skip("only D1 has a copy to fill (TEST_ENGINE=d1)")
    with FaultProxy(environment["CLOUDFLARE_D1_BASE_URL"]) as proxy:
        environment |= {"CLOUDFLARE_D1_BASE_URL": proxy.url, "VIEW_FLUSH_SECONDS": "600"}
        server = new_server(tmp_path_factory.mktemp("seeded"), **environment)
        server.set_up()
        server.manage("shell", "-c", SETTING)
        yield server, proxy


@pytest.fixture
def proxy(seeded):
    proxy = seeded[1]
    yield proxy
    proxy.plan = None
    proxy.come_up()


@pytest.fixture
def new_host(seeded, tmp_path):
    """Return a host without a copy, which does not run yet."""

    def make(**environment: str) -> Server:
        server = seeded[0]
        given = {**server.environment, **environment, "DATA": str(tmp_path)}
        address = f"http://127.0.0.1:{free_port()}"
        return dataclasses.replace(server, address=address, data=tmp_path, environment=given)

    return make


def hold_users(number: int, request: Request) -> Fault | None:
    """Do not answer while a fill asks for users."""
    asks = any('FROM "users"' in sql and " AS at, " in sql for sql in request.sql)
    return SLOW_BEFORE if asks else None


@contextmanager
def filling(server: Server, proxy: FaultProxy) -> Iterator[Server]:
    """Run a host whose fill has some tables, and waits for D1 to answer about the next."""
    proxy.plan = hold_users
    with serving(server, LIVE):
        wait_for(lambda: any(fault for _, fault in proxy.log), 60)
        yield server


def is_ready(server: Server) -> bool:
    return server.client().get("/health/ready").status_code == 200


def children_of(pid: int, text: str = "") -> list[int]:
    """The child processes whose command line contains the text."""
    done = subprocess.run(["pgrep", "-P", str(pid), "-f", text or "."], capture_output=True, text=True)
    return [int(line) for line in done.stdout.split()]


def fills_of(server: Server) -> list[int]:
    return [
        fill
        for filler in children_of(server.pid, "gallery_project.filler")
        for fill in children_of(filler, "d1_replica fill")
    ]


def runs(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def test_it_answers_health_calls_alone_and_asks_d1_nothing(new_host, proxy):
    with filling(new_host(METRICS_TOKEN="a-token"), proxy) as server:
        client = server.client()
        ready = client.get("/health/ready")
        assert ready.status_code == 503
        assert int(ready.headers["Retry-After"]) > 0
        assert ready.json()["status"] == "filling"
        assert 0 < ready.json()["progress"] < 1
        head = client.request("HEAD", "/health/ready")
        assert (head.status_code, head.content) == (503, b"")
        assert [client.get(path).status_code for path in (LIVE, "/health")] == [200, 200]
        metrics = client.get("/metrics", headers={"Authorization": "Bearer a-token"})
        assert 0 < Scrape(metrics.text).sum("gallery_replica_filled_ratio") < 1
        passed = sum(fault is None for _, fault in proxy.log)
        for path in (
            "/",
            "/info",
            "/api/designs",
            "/api/nope",
            "/media/x.jpg",
            "/static/logo.svg",
        ):
            refusal = client.get(path)
            assert refusal.status_code == 503, path
            assert refusal.json()["code"] == "unavailable"
            assert int(refusal.headers["Retry-After"]) > 0
        assert client.post("/api/auth/login", json=server.admin).status_code == 503
        page = client.get("/admin/", headers={"Cookie": "sessionid=any"})
        assert page.status_code == 503
        assert page.headers["Content-Type"].startswith("text/html")
        assert int(page.headers["Retry-After"]) > 0
        assert client.get("/health").json()["status"] == "degraded"
        client.get("/metrics", headers={"Authorization": "Bearer a-token"})
        assert sum(fault is None for _, fault in proxy.log) == passed
        proxy.plan = None
        wait_for(lambda: is_ready(server), 60)
        assert client.get("/").status_code == 200
        client.sign_in(**server.admin)
        assert client.get("/api/designs").status_code == 200


def test_with_the_setting_it_answers_from_d1_meanwhile(new_host, proxy):
    with filling(new_host(SERVE_WHILE_FILLING="true"), proxy) as server:
        client = server.client(**server.admin)
        assert client.get("/api/auth/me").status_code == 200
        assert not is_ready(server)


def test_a_fill_that_dies_is_started_again(new_host, proxy):
    with filling(new_host(), proxy) as server:
        (fill,) = fills_of(server)
        os.kill(fill, signal.SIGKILL)
        wait_for(lambda: fills_of(server) not in ([], [fill]))
        proxy.plan = None
        wait_for(lambda: is_ready(server), 60)


def test_a_host_that_starts_while_d1_is_away_is_ready_soon_after_it_is_back(new_host, proxy):
    proxy.go_down()
    with serving(new_host(), LIVE) as server:
        assert server.client().get("/health/ready").json() == {"status": "filling", "progress": 0}
        proxy.come_up()
        wait_for(lambda: is_ready(server), 60)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_the_fill_ends_with_the_server(new_host, proxy, ending):
    with filling(new_host(), proxy) as server:
        processes = [*children_of(server.pid, "gallery_project.filler"), *fills_of(server)]
        assert len(processes) == 2
        os.kill(server.pid, ending)
        wait_for(lambda: not any(map(runs, processes)), 60)


def test_a_host_that_was_ready_stays_so_over_a_refill_and_a_new_worker(new_host, proxy):
    with serving(new_host(WEB_CONCURRENCY="1")) as server:
        client = server.client(**server.admin)
        proxy.plan = hold_users
        server.manage("d1_replica", "install", "--anew")
        wait_for(lambda: client.get("/api/designs").ok and any(fault for _, fault in proxy.log))
        assert is_ready(server)
        (server.data / "replica" / "current").unlink()
        (worker,) = children_of(server.pid, "gunicorn")
        os.kill(worker, signal.SIGTERM)
        wait_for(lambda: children_of(server.pid, "gunicorn") not in ([], [worker]))
        again = server.client()
        again.use(client.token)
        assert is_ready(server)
        assert again.get("/api/auth/me").status_code == 200


def test_a_host_with_a_copy_is_ready_while_d1_is_away(new_host, proxy):
    host = new_host()
    with serving(host):
        client = host.client(**host.admin)
    proxy.go_down()
    with serving(host):
        assert client.get("/api/designs").status_code == 200
