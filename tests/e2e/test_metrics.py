"""/metrics of a server with two workers: their counts add up, and outlive them."""

import contextlib
import os
import secrets
import signal
import sys
from pathlib import Path

import pytest

from devtools.serving import new_server, serving
from tests.e2e.processes import open_files, workers_of
from tests.e2e.raw_http import Wire
from tests.engine import engine_environment
from tests.scrape import Scrape

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc"),
]


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    token = secrets.token_hex(16)
    host = new_server(tmp_path_factory.mktemp("gallery"), METRICS_TOKEN=token, **engine_environment())
    host.set_up()
    with serving(host):
        yield host


def scrape(host):
    headers = {"Authorization": f"Bearer {host.environment['METRICS_TOKEN']}"}
    response = host.client().get("/metrics", headers=headers)
    assert response.status_code == 200
    assert host.environment["METRICS_TOKEN"] not in response.text
    return Scrape(response.text)


def live_calls(host):
    return scrape(host).sum("gallery_requests_total", route="/health/live", status="200")


def test_the_counts_of_two_workers_add_up_and_outlive_them(host, wait_until):
    wait_until(lambda: scrape(host).sum("gallery_worker_threads") == 16)
    before = live_calls(host)
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(host)) for _ in range(8)]  # four of each worker
        for wire in wires:
            for _ in range(5):
                assert wire.ask("GET", "/health/live").status == 200
        wait_until(lambda: scrape(host).sum("gallery_worker_connections") >= 8)
    assert live_calls(host) == before + 40

    killed = workers_of(host)
    for worker in killed:
        os.kill(worker, signal.SIGKILL)
    wait_until(lambda: len(set(workers_of(host)) - set(killed)) == 2)
    wait_until(lambda: scrape(host).sum("gallery_worker_threads") == 16)
    found = scrape(host)
    assert found.sum("gallery_requests_total", route="/health/live", status="200") >= before + 40
    assert found.sum("gallery_worker_starts_total") >= 4
    assert not set(counted_by(host)) & set(killed)


def counted_by(host):
    """The numbers of the processes whose files are in the folder of the metrics."""
    counters = next(name for name in open_files(workers_of(host)[0]) if "/counter_" in name)
    return [int(path.stem.rpartition("_")[2]) for path in Path(counters).parent.glob("*.db")]


def test_what_a_worker_refuses_by_itself_counts(host):
    labels = {"method": "GET", "route": "/api/designs/{design_id}", "status": "400"}
    before = scrape(host).sum("gallery_worker_refusals_total", **labels)
    with Wire(host) as wire:
        assert wire.send(b"GET /api/designs/7 HTTP/9.9 nonsense\r\n\r\n").answer().status == 400
    assert scrape(host).sum("gallery_worker_refusals_total", **labels) == before + 1


@pytest.mark.skipif(os.environ.get("TEST_ENGINE") != "d1", reason="only D1 has a copy (TEST_ENGINE=d1)")
def test_the_fill_of_the_process_beside_the_workers_counts(host):
    found = scrape(host)
    assert found.sum("gallery_replica_sync_seconds_count", outcome="filled") == 1
    assert found.sum("gallery_d1_requests_total", spender="fill", outcome="answered") >= 1
    assert found.sum("gallery_replica_filled_ratio") == 1
