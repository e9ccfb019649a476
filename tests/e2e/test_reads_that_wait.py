"""A worker's loop answers the commonest reads itself; one that would wait for D1 runs in a thread."""

import secrets
import threading

import pytest

from devtools import fault_plan
from devtools.fault_proxy import FaultProxy
from devtools.serving import new_server, serving
from tests.engine import engine_environment

pytestmark = pytest.mark.e2e


@pytest.fixture
def proxy():
    environment = engine_environment()
    if not environment:
        pytest.skip("only reads of D1 wait (TEST_ENGINE=d1)")
    with FaultProxy(environment["CLOUDFLARE_D1_BASE_URL"]) as proxy:
        proxy.environment = {**environment, "CLOUDFLARE_D1_BASE_URL": proxy.url}
        yield proxy


@pytest.fixture
def server(proxy, tmp_path):
    """A server of one worker, whose reads all go to D1."""
    environment = proxy.environment | {"JWT_SECRET": secrets.token_hex(32), "REPLICA": "off"}
    server = new_server(
        tmp_path, **environment, WEB_CONCURRENCY="1", D1_TIMEOUT="10", VIEW_FLUSH_SECONDS="600"
    )
    server.set_up()
    with serving(server):
        yield server


def test_a_list_that_waits_for_d1_keeps_nobody_waiting(proxy, server):
    admin, other = server.client(**server.admin), server.client()
    assert admin.get("/api/designs").json()["items"] == []
    proxy.plan = fault_plan.always(fault_plan.SLOW_BEFORE)
    answers = []
    reading = threading.Thread(target=lambda: answers.append(admin.get("/api/designs").status_code))
    reading.start()
    before = proxy.count
    while proxy.count == before and reading.is_alive():
        pass  # until D1 is asked
    assert other.get("/health/live").status_code == 200
    assert reading.is_alive()
    reading.join()
    assert answers == [503]
    proxy.plan = None
