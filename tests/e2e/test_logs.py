"""What the server as shipped writes to its log and reports to Sentry, of a journey that carries every secret."""

import json
import secrets
import subprocess
import sys
from contextlib import ExitStack

import pytest

from devtools.fault_proxy import FaultProxy
from devtools.serving import ROOT, new_server, serving
from tests.e2e.logged.journey import Journey, found_in, lines_with
from tests.e2e.logged.sentry import sentry_server
from tests.engine import engine_environment

pytestmark = pytest.mark.e2e

FAULTY = {"DJANGO_SETTINGS_MODULE": "tests.e2e.logged.settings"}


@pytest.fixture(scope="module")
def journeys(tmp_path_factory):
    """Run the journey once in each format. Return by format (journey, the whole output, the reports)."""
    done = {}

    def journey(form):
        if form not in done:
            done[form] = run_journey(tmp_path_factory.mktemp(form), form)
        return done[form]

    return journey


def run_journey(data, form):
    environment = engine_environment() | {
        "LOG_FORMAT": form,
        "LOG_LEVEL": "DEBUG",
        "GUNICORN_LOG_LEVEL": "debug",
        "DEBUG": "false",
        "ALLOWED_HOSTS": "127.0.0.1",
        "JWT_SECRET": secrets.token_hex(32),
        "METRICS_TOKEN": secrets.token_hex(16),
    }
    with ExitStack() as running:
        sentry = running.enter_context(sentry_server())
        environment["SENTRY_DSN"] = sentry.dsn
        proxy = None
        if base := environment.get("CLOUDFLARE_D1_BASE_URL"):
            proxy = running.enter_context(FaultProxy(base))
            environment["CLOUDFLARE_D1_BASE_URL"] = proxy.url
        server = new_server(data, **environment)
        server.set_up()
        server.environment |= FAULTY
        journey = Journey(server)
        journey.secrets += [environment["JWT_SECRET"], environment["METRICS_TOKEN"]]
        journey.secrets += [
            environment[name]
            for name in ("CLOUDFLARE_API_TOKEN", "CLOUDFLARE_R2_SECRET_KEY")
            if name in environment
        ]
        with serving(server):
            journey.run()
            if proxy is not None:
                lose_d1(journey, proxy)
        return journey, (data / "server.log").read_text(), sentry


def lose_d1(journey, proxy):
    client = journey.server.client(**journey.server.admin)
    journey.secrets.append(client.token["access_token"])
    proxy.go_down()
    answer = client.put("/api/auth/me", json=journey.details())
    assert answer.status_code == 503
    journey.known("lost", answer)
    proxy.come_up()


@pytest.mark.parametrize("form", ["json", "lines"])
def test_no_line_has_a_secret(journeys, form):
    journey, output, _ = journeys(form)
    assert len(journey.secrets) > 40
    assert found_in(output, journey.secrets) == []


def test_a_report_arrives_and_has_no_secret(journeys):
    journey, _, sentry = journeys("json")
    assert found_in(b"\n".join(sentry.bodies).decode(), journey.secrets) == []
    by_id = {event["tags"]["request_id"]: event for event in sentry.events if "request_id" in event["tags"]}
    event = by_id[journey.request_ids["failing"]]
    assert event["tags"]["route"] == "/api/failing"
    assert [one["type"] for one in event["exception"]["values"]] == ["LookupError", "ValueError"]
    assert event["release"] == "0.1.0"
    assert event["environment"] == "development"
    assert set(event["user"]) == {"id"}
    assert not {"request", "extra", "breadcrumbs", "server_name"} & set(event)
    assert by_id[journey.request_ids["page"]]["exception"]["values"][0]["type"] == "RuntimeError"


def test_every_line_is_an_object(journeys):
    _, output, _ = journeys("json")
    lines = [json.loads(line) for line in output.splitlines()]
    assert all({"time", "level", "logger", "message", "process"} <= set(line) for line in lines)
    assert any(line["message"].startswith("Booting worker") for line in lines)


def requests_of(output):
    lines = [json.loads(line) for line in output.splitlines()]
    return {
        line["request_id"]: line for line in lines if line["logger"] == "gallery.request" and "route" in line
    }


def test_the_line_of_a_request(journeys):
    journey, output, _ = journeys("json")
    lines = requests_of(output)
    mine = lines[journey.request_ids["mine"]]
    assert (mine["method"], mine["route"], mine["status"]) == ("GET", "/api/auth/me", 200)
    assert mine["user_id"] > 1
    assert mine["ms"] > 0
    assert mine["bytes"] > 0
    assert {"round_trips", "rows_read", "rows_written"} <= set(mine)
    assert lines[journey.request_ids["console"]]["user_id"] == 1
    unknown = lines[journey.request_ids["unknown"]]
    assert (unknown["route"], unknown["status"], unknown["user_id"]) == ("unmatched", 404, None)
    assert {line["status"] for line in lines.values() if line["method"] == "other"} == {400}
    assert any(line["status"] == 414 and line["route"] == "/api/designs" for line in lines.values())
    assert not any(line["route"].startswith("/health") and line["status"] < 300 for line in lines.values())


@pytest.mark.parametrize("name", ["failing", "page", "breaking"])
def test_a_traceback_stands_once_on_a_line_with_the_id(journeys, name):
    journey, output, _ = journeys("json")
    lines = [json.loads(line) for line in lines_with(output, journey.request_ids[name])]
    (failed,) = (line for line in lines if "traceback" in line)
    assert failed["level"] == "ERROR"
    assert "urls.py" in failed["traceback"]
    assert sum("tests/e2e/logged/urls.py" in line for line in output.splitlines()) == 4


def test_lines_of_libraries_threads_and_streams_have_the_id(journeys):
    journey, output, _ = journeys("json")
    told = [json.loads(line)["message"] for line in lines_with(output, journey.request_ids["telling"])]
    assert told == ["for the caller", "in a thread\nforged", "GET /api/telling 200"]
    streamed = [json.loads(line)["message"] for line in lines_with(output, journey.request_ids["breaking"])]
    assert "between the parts" in streamed


def test_a_stream_that_fails_before_its_first_byte_has_the_line_of_its_answer_alone(journeys):
    journey, output, _ = journeys("json")
    lines = [json.loads(line) for line in lines_with(output, journey.request_ids["broken"])]
    (answered,) = (line for line in lines if "route" in line)
    assert (answered["route"], answered["status"]) == ("/breaking", 500)
    assert [line["level"] for line in lines if "traceback" in line] == ["ERROR"]


def test_a_suspicious_request_is_named_and_not_quoted(journeys):
    journey, output, _ = journeys("json")
    lines = [json.loads(line) for line in lines_with(output, journey.request_ids["suspicious"])]
    assert [line["message"] for line in lines] == [
        "a request was refused: SuspiciousOperation",
        "GET /suspicious 400",
    ]


def test_no_value_forges_a_line_for_people(journeys):
    journey, output, _ = journeys("lines")
    starts = [line for line in output.splitlines() if not line.startswith("    ")]
    assert all(line.split()[2] in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"} for line in starts)
    assert any("in a thread\\nforged" in line for line in starts)
    traced = [line for line in output.splitlines() if f"    {journey.request_ids['failing']} | " in line]
    assert any("ValueError" in line for line in traced)


def command(data, *arguments, **environment):
    server = new_server(data, LOG_FORMAT="json", **environment)
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=server.environment, capture_output=True, text=True
    )


def test_a_command_that_fails_is_reported(tmp_path):
    with sentry_server() as sentry:
        ended = command(tmp_path, "manage.py", "import_designs", "/nowhere.csv", SENTRY_DSN=sentry.dsn)
        assert ended.returncode == 1
        assert "CommandError" in ended.stderr
        (event,) = sentry.events
    assert event["tags"] == {"command": "import_designs"}
    assert event["exception"]["values"][-1]["type"] == "CommandError"


def test_without_a_dsn_nothing_of_sentry_is_loaded(tmp_path):
    code = "import django, sys; django.setup(); sys.exit(any('sentry' in name for name in sys.modules))"
    assert command(tmp_path, "-c", code).returncode == 0


def test_what_nobody_catches_is_a_line(tmp_path):
    code = "import django; django.setup(); raise ValueError('one\\ntwo')"
    ended = command(tmp_path, "-c", code)
    (line,) = ended.stderr.splitlines()
    assert ended.returncode == 1
    assert "ValueError: one\ntwo" in json.loads(line)["traceback"]
