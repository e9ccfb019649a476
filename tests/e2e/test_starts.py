"""How the server starts, is reloaded and is replaced, and what it says of it."""

import os
import re
import signal
import sys

import pytest

from devtools.serving import new_server, serving
from tests.e2e.processes import workers_of
from tests.engine import engine_environment
from tests.scrape import TOKEN, Scrape

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc"),
]


@pytest.fixture
def host(tmp_path):
    # As Render starts it.
    host = new_server(
        tmp_path, GUNICORN_CMD_ARGS="--preload", METRICS_TOKEN=TOKEN, LOG_LEVEL="INFO", **engine_environment()
    )
    host.set_up()
    with serving(host):
        yield host


def log_of(host):
    return (host.data / "server.log").read_text()


def test_a_start_says_in_one_line_what_starts_and_shows_no_secret(host):
    (line,) = [line for line in log_of(host).splitlines() if "gallery.start" in line]
    for part in (
        r"version=\S+ environment=development database=\S.* images=folder:/\S+ replica=(on|off) hosts=1 "
        r"workers=2 threads=8 memory_mb=\d+ python=3\.\d+\.\d+ django=5\.\d+",
    ):
        assert re.search(part, line), line
    assert TOKEN not in log_of(host)
    if token := host.environment.get("CLOUDFLARE_API_TOKEN"):
        assert token not in log_of(host)


def test_a_preloaded_server_sums_the_metrics_of_its_workers_and_cleans_up_behind_it(host):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    client = host.client()

    def answered():
        found = Scrape(client.get("/metrics", headers=headers).text)
        return found.sum("gallery_requests_total", route="/health/live", status="200")

    before = answered()
    for _ in range(20):
        assert host.client().get("/health/live").status_code == 200  # each on a connection of its own
    assert answered() >= before + 20
    with open(f"/proc/{workers_of(host)[0]}/environ", "rb") as file:
        assert b"DATA=" in file.read()


def test_sighup_gives_new_workers_and_says_that_the_code_is_the_old(host, wait_until):
    before = workers_of(host)
    os.kill(host.pid, signal.SIGHUP)
    wait_until(lambda: not set(before) & set(workers_of(host)))
    assert host.client().get("/health/ready").status_code == 200
    assert (
        "SIGHUP: new workers start, with the code and the settings that this server started with."
        in log_of(host)
    )
