"""The proxy does to a request what its plan says, and nothing to the others."""

import http.client
import json
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from devtools import fault_plan as plans
from devtools.fault_proxy import FaultProxy


class _Upstream(ThreadingHTTPServer):
    """Answers every POST with its own body and remembers it."""

    daemon_threads = True

    def __init__(self):
        self.bodies, self.connections = [], []
        super().__init__(("127.0.0.1", 0), _Echo)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/client/v4"


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.append(body)
        self.server.connections.append(self.connection)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def upstream():
    with _Upstream() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(upstream):
    with FaultProxy(upstream.url) as proxy:
        yield proxy


BODY = json.dumps({"sql": "SELECT 1", "params": []}).encode()


def ask(proxy, client=None, timeout=5):
    client = client or http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=timeout)
    client.request("POST", "/client/v4/raw", BODY)
    answer = client.getresponse()
    return answer.status, answer.headers, answer.read()


def test_without_a_plan_every_request_passes_on_one_connection(proxy, upstream):
    client = http.client.HTTPConnection("127.0.0.1", proxy.port)
    for _ in range(3):
        assert ask(proxy, client)[::2] == (200, BODY)
    assert (proxy.count, proxy.connections, len(upstream.bodies)) == (3, 1, 3)
    assert proxy.log[0][0].sql == ["SELECT 1"]
    client.close()


def test_an_engine_that_ended_an_idle_connection_is_asked_by_another(proxy, upstream):
    client = http.client.HTTPConnection("127.0.0.1", proxy.port)
    assert ask(proxy, client)[0] == 200
    upstream.connections[0].shutdown(socket.SHUT_RDWR)
    assert ask(proxy, client)[0] == 200
    assert (proxy.connections, len(upstream.connections)) == (1, 2)
    client.close()


@pytest.mark.parametrize(("fault", "ran"), [(plans.RESET_BEFORE, 0), (plans.RESET_AFTER, 1)])
def test_a_reset_leaves_the_client_without_an_answer(proxy, upstream, fault, ran):
    proxy.plan = [fault]
    with pytest.raises(ConnectionError):
        ask(proxy)
    assert len(upstream.bodies) == ran
    assert ask(proxy)[0] == 200


def test_a_reset_midway_breaks_the_body_off(proxy, upstream):
    proxy.plan = [plans.RESET_MIDWAY]
    with pytest.raises((ConnectionError, http.client.IncompleteRead)):
        ask(proxy)
    assert upstream.bodies == [BODY]


@pytest.mark.parametrize(("fault", "ran"), [(plans.SLOW_BEFORE, 0), (plans.SLOW_AFTER, 1)])
def test_a_slow_answer_never_comes(proxy, upstream, fault, ran):
    proxy.plan = [fault]
    with pytest.raises(TimeoutError):
        ask(proxy, timeout=0.2)
    assert len(upstream.bodies) == ran


def test_a_late_request_reaches_the_engine_after_the_client_gave_up(proxy, upstream):
    proxy.plan = [plans.Fault("late", False, "hang", late=0)]
    client = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=0.2)
    with pytest.raises(TimeoutError):
        ask(proxy, client)
    client.close()
    proxy.settle()
    assert upstream.bodies == [BODY]


@pytest.mark.parametrize(
    ("fault", "ran"),
    [
        (plans.SERVER_ERROR_BEFORE, 0), (plans.SERVER_ERROR_AFTER, 1), (plans.BAD_GATEWAY_BEFORE, 0),
        (plans.BAD_GATEWAY_AFTER, 1), (plans.UNAVAILABLE, 0), (plans.WRONG_TOKEN, 0),
        (plans.UNKNOWN_DATABASE, 0),
        (plans.HTML, 1), (plans.rate_limited("7"), 0),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)  # fmt: skip
def test_an_answer_of_the_plan_takes_the_place_of_the_engines(proxy, upstream, fault, ran):
    proxy.plan = [fault]
    status, headers, body = ask(proxy)
    assert (status, body, len(upstream.bodies)) == (fault.status, fault.answer, ran)
    assert headers["Retry-After"] == dict(fault.headers).get("Retry-After")


def test_truncated_json_is_half_the_answer(proxy):
    proxy.plan = [plans.TRUNCATED]
    assert ask(proxy)[2] == BODY[: len(BODY) // 2]


def test_a_proxy_that_is_down_refuses_connections_until_it_is_up(proxy):
    proxy.go_down()
    with pytest.raises(ConnectionRefusedError):
        ask(proxy)
    proxy.come_up()
    assert ask(proxy)[0] == 200


def test_the_rate_limit_refuses_what_is_too_much_and_says_for_how_long(upstream):
    with FaultProxy(upstream.url, rate=plans.RateLimit.parse("2/60")) as proxy:
        answers = [ask(proxy) for _ in range(4)]
    assert [status for status, _, _ in answers] == [200, 200, 429, 429]
    assert 0 < int(answers[3][1]["Retry-After"]) <= 60
    assert proxy.refused == 2


def test_a_plan_of_every_third_request_takes_each_fault_equally_often(proxy):
    faults = [plans.HTML, plans.UNAVAILABLE]
    proxy.plan = plans.every(3, faults)
    for _ in range(12):
        ask(proxy)
    assert sorted(proxy.faults) == ["503 before", "503 before", "HTML", "HTML"]


def test_it_runs_as_a_command(upstream):
    command = [sys.executable, "-m", "devtools.fault_proxy", "--upstream", upstream.url, "--rate", "1/60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().strip()
        port = int(url.split(":")[2].split("/")[0])
        codes = []
        for _ in range(2):
            client = http.client.HTTPConnection("127.0.0.1", port)
            client.request("POST", "/client/v4/raw", BODY)
            codes.append(client.getresponse().status)
            client.close()
        process.terminate()
        assert codes == [200, 429]
        assert "2 requests on 2 connections, 1 refused" in process.stderr.read()
