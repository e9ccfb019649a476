"""The server as shipped while D1 accepts calls and never answers: reads go on, and one call at a time tries it."""

import secrets
import threading
import time
from contextlib import ExitStack

import pytest

from devtools import fault_plan
from devtools.fault_proxy import FaultProxy
from devtools.serving import new_server, serving
from tests.e2e.test_replica import assert_unavailable, database_of, eventually
from tests.engine import engine_environment

WORKERS, THREADS = 2, 8
CALLS = THREADS - 2  # of a worker that wait for D1 at most (gunicorn.conf.py)
LIKES = 24


@pytest.fixture(scope="module")
def proxy():
    environment = engine_environment()
    if not environment:
        pytest.skip("only D1 can hang (TEST_ENGINE=d1)")
    with FaultProxy(environment["CLOUDFLARE_D1_BASE_URL"]) as proxy:
        proxy.environment = {**environment, "CLOUDFLARE_D1_BASE_URL": proxy.url}
        yield proxy


@pytest.fixture(scope="module")
def server(proxy, tmp_path_factory):
    environment = proxy.environment | {"JWT_SECRET": secrets.token_hex(32), "VIEW_FLUSH_SECONDS": "600"}
    environment |= {
        "WEB_CONCURRENCY": str(WORKERS),
        "WEB_THREADS": str(THREADS),
        "D1_TIMEOUT": "4",
        "DEBUG": "false",
    }
    server = new_server(tmp_path_factory.mktemp("hangs"), **environment)
    server.set_up()
    with ExitStack() as running:
        running.enter_context(serving(server))
        assert eventually(lambda: database_of(server)["status"] == "healthy")
        yield server


@pytest.fixture(autouse=True)
def _d1_is_back(proxy, server):
    yield
    proxy.plan = None
    proxy.come_up()
    assert eventually(lambda: database_of(server)["status"] == "healthy")


@pytest.fixture
def admin(server):
    return server.client(**server.admin)


class Crowd:
    """Calls of many clients, let go at once."""

    def __init__(self, server, token, call, number):
        self.answers = []
        self._start = threading.Barrier(number + 1)
        self._threads = [
            threading.Thread(target=self._run, args=(server, token, call)) for _ in range(number)
        ]
        for thread in self._threads:
            thread.start()
        self._start.wait()

    def _run(self, server, token, call):
        client = server.client()
        client.use(token)
        self._start.wait()
        self.answers.append(call(client))

    @property
    def goes_on(self):
        return any(thread.is_alive() for thread in self._threads)

    def join(self):
        for thread in self._threads:
            thread.join()


def changes(proxy):
    """The requests in which a write was sent."""
    return sum(any("user_favorites" in sql and "INSERT" in sql for sql in r.sql) for r, _ in proxy.log)


def test_reads_go_on_and_writes_are_refused_while_d1_hangs(proxy, server, admin, design):
    path = f"/api/designs/{design['id']}"
    assert admin.get(path).status_code == 200
    proxy.plan = fault_plan.always(fault_plan.SLOW_BEFORE)
    crowd = Crowd(server, admin.token, lambda client: client.post(f"{path}/favorite"), LIKES)
    reads = 0
    while crowd.goes_on:
        assert admin.get("/api/designs").status_code == 200
        assert admin.get(path).status_code == 200
        reads += 1
    crowd.join()
    # A server whose threads all wait for D1 answers a handful.
    assert reads > LIKES
    for answer in crowd.answers:
        assert answer.status_code == 503
        assert answer.json()["code"] in ("unavailable", "outcome_unknown")
        assert int(answer.headers["Retry-After"]) > 0
    sent = proxy.count
    assert changes(proxy) <= WORKERS * CALLS + WORKERS
    # The places of both workers, and trials of one call at a time.
    assert sent <= WORKERS * CALLS + WORKERS + 4
    answer = admin.post(f"{path}/favorite")
    assert answer.status_code == 503
    proxy.plan = None
    assert eventually(lambda: admin.post(f"{path}/favorite").status_code == 200)


def test_console_pages_that_need_d1_fail_and_reads_go_on(proxy, server, admin, design):
    path = f"/api/designs/{design['id']}"
    proxy.plan = fault_plan.always(fault_plan.SLOW_BEFORE)

    def login(client):
        return client.post("/api/auth/login", json=server.admin)

    first = Crowd(server, admin.token, login, WORKERS * CALLS)
    first.join()
    sent = proxy.count

    def page(client):
        client.session.cookies.set("sessionid", secrets.token_hex(16))
        return client.get("/admin/", allow_redirects=False)

    crowd = Crowd(server, admin.token, page, 60)
    reads = 0
    while crowd.goes_on:
        assert admin.get(path).status_code == 200
        reads += 1
    crowd.join()
    # A cookie that no session has may be refused without asking D1.
    assert {answer.status_code for answer in crowd.answers} <= {302, 503}
    assert reads
    assert proxy.count <= sent + 1


def test_the_first_write_after_an_outage_of_an_idle_host_is_done(proxy, server, admin, design):
    path = f"/api/designs/{design['id']}/favorite"
    proxy.go_down()
    assert eventually(lambda: admin.post(path).json().get("code") == "unavailable")
    assert eventually(lambda: database_of(server)["status"] == "degraded")
    for _ in range(3):
        assert_unavailable(admin.post(path))
    proxy.come_up()
    (away,) = server.data.glob("d1-away-*")
    assert eventually(lambda: away.stat().st_mtime < time.time())
    assert admin.post(path).status_code == 200
    assert not away.exists()


def test_a_write_is_done_as_soon_as_d1_is_back(proxy, server, admin, design):
    path = f"/api/designs/{design['id']}/favorite"
    proxy.go_down()

    def pause():
        assert_unavailable(admin.post(path))
        return max((file.stat().st_mtime - time.time() for file in server.data.glob("d1-away-*")), default=0)

    assert eventually(lambda: pause() > 3)
    proxy.come_up()
    assert admin.post(path).status_code == 200
