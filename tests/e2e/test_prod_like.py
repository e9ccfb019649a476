"""`make run-prod-like` is all green for the doctor, and each setting that is broken is named by it or by the start.

Each case runs a command with one variable changed. They take minutes, so `make test-prod-like` runs them, at night.
"""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from d1backend.local import workerd_binary
from d1backend.options import Settings
from d1backend.protocol.api import Api
from devtools.local_cloud import PRIVATE_BUCKET
from devtools.prod_like import ROOT, prod_like

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif("PROD_LIKE" not in os.environ, reason="takes minutes: make test-prod-like"),
    pytest.mark.skipif(workerd_binary() is None, reason="needs the D1 engine: make d1-engine"),
]
NO_BACKUP = "copies.backup"
D1_VARIABLES = (
    *("CLOUDFLARE_D1_DATABASE_ID", "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_D1_BASE_URL"),
    *("HOSTS", "D1_ALLOWANCE"),
)


@dataclass
class Told:
    """What the doctor, or the refusal of the start, said: a sentence for each check that is not well."""

    sentences: dict[str, str]
    status: int
    output: str


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with prod_like(tmp_path_factory.mktemp("prod-like")) as world:
        yield world


def examined(world, **changes: str | None) -> Told:
    """What the doctor says with these variables changed, or without them where they are None."""
    environment = {
        **world.environment,
        **{name: value for name, value in changes.items() if value is not None},
    }
    for name in (name for name, value in changes.items() if value is None):
        environment.pop(name, None)
    command = [sys.executable, "manage.py", "doctor", "--json", "--url", world.address]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    if not done.stdout:
        return Told({"start": done.stderr}, done.returncode, done.stderr)
    checks: list[dict[str, Any]] = json.loads(done.stdout)["checks"]
    ill = {check["name"]: f"{check['sentence']} {check['advice']}" for check in checks}
    well = {check["name"] for check in checks if check["status"] in ("ok", "skipped")}
    told = {name: sentence for name, sentence in ill.items() if name not in well}
    return Told(told, done.returncode, done.stdout + done.stderr)


def test_the_doctor_finds_nothing(world):
    told = examined(world)
    told.sentences.pop(NO_BACKUP, None)  # a new service has none yet
    assert told.sentences == {}
    assert told.status == 0


def test_no_secret_is_in_what_the_doctor_says(world):
    told = examined(
        world, CLOUDFLARE_API_TOKEN="a-wrong-token-of-cloudflare", CLOUDFLARE_R2_SECRET_KEY="wrong-key"
    )
    secret = ("CLOUDFLARE_API_TOKEN", "CLOUDFLARE_R2_SECRET_KEY", "JWT_SECRET", "METRICS_TOKEN")
    for value in (*(world.environment[name] for name in secret), "a-wrong-token-of-cloudflare", "wrong-key"):
        assert value not in told.output


# What is changed, and the variable that must be named.
BROKEN: list[tuple[dict[str, str | None], str]] = [
    ({"CLOUDFLARE_API_TOKEN": "a-token-that-cloudflare-does-not-know"}, "CLOUDFLARE_API_TOKEN"),
    ({"CLOUDFLARE_D1_DATABASE_ID": "00000000-0000-4000-8000-000000000000"}, "CLOUDFLARE_D1_DATABASE_ID"),
    ({"CLOUDFLARE_ACCOUNT_ID": "somebody"}, "CLOUDFLARE_ACCOUNT_ID"),
    ({"CLOUDFLARE_D1_BASE_URL": "http://127.0.0.1:1/client/v4"}, "CLOUDFLARE_D1_BASE_URL"),
    ({"CLOUDFLARE_D1_DATABASE_ID": None}, "CLOUDFLARE_D1_DATABASE_ID"),
    ({"CLOUDFLARE_R2_ACCESS_KEY": "NOBODY"}, "CLOUDFLARE_R2_ACCESS_KEY"),
    ({"CLOUDFLARE_R2_SECRET_KEY": "another-secret"}, "CLOUDFLARE_R2_SECRET_KEY"),
    ({"CLOUDFLARE_R2_BUCKET_NAME": "no-such-bucket"}, "CLOUDFLARE_R2_BUCKET_NAME"),
    ({"CLOUDFLARE_R2_PUBLIC_URL": "http://127.0.0.1:1/gallery"}, "CLOUDFLARE_R2_PUBLIC_URL"),
    ({"CLOUDFLARE_R2_ENDPOINT_URL": "http://127.0.0.1:1"}, "CLOUDFLARE_R2_ENDPOINT_URL"),
    ({"CLOUDFLARE_R2_PRIVATE_BUCKET_NAME": "gallery"}, "CLOUDFLARE_R2_PRIVATE_BUCKET_NAME"),
    ({"CLOUDFLARE_R2_PRIVATE_BUCKET_NAME": "no-such-bucket"}, "CLOUDFLARE_R2_PRIVATE_BUCKET_NAME"),
    ({"CLOUDFLARE_R2_PRIVATE_BUCKET_NAME": None}, "CLOUDFLARE_R2_PRIVATE_BUCKET_NAME"),
    ({"CORS_ORIGINS": None}, "CORS_ORIGINS"),
    ({"CORS_ORIGINS": "https://app.example,https://new.example"}, "CORS_ORIGINS"),
    ({"CORS_ORIGINS": "https://app.example/"}, "CORS_ORIGINS"),
    ({"JWT_SECRET": "short"}, "JWT_SECRET"),
    ({"JWT_SECRET": "another-secret-of-more-than-thirty-two-characters"}, "JWT_SECRET"),
    (
        {"JWT_SECRET": '"a-secret-of-more-than-thirty-two-characters"'},
        "JWT_SECRET begins or ends with a quote",
    ),
    ({"METRICS_TOKEN_PREVIOUS": "x"}, "METRICS_TOKEN_PREVIOUS"),
    ({"ALLOWED_HOSTS": "gallery.example"}, "ALLOWED_HOSTS"),
    ({"CSRF_TRUSTED_ORIGINS": "gallery.example"}, "CSRF_TRUSTED_ORIGINS"),
    ({"CSRF_TRUSTED_ORIGINS": "https://evil.example"}, "CSRF_TRUSTED_ORIGINS"),
    ({"HOSTS": "0"}, "HOSTS"),
    ({"D1_TIMEOUT": "abc"}, "D1_TIMEOUT"),
    ({"REPLICA_MAX_AGE": "0"}, "REPLICA_MAX_AGE"),
    ({"REPLICA": "off"}, "REPLICA"),
    ({"WEB_CONCURRENCY": "0"}, "WEB_CONCURRENCY"),
    ({"BACKUP_KEY": "nonsense"}, "BACKUP_KEY"),
    ({"BACKUP_KEY": None}, "BACKUP_KEY"),
    ({"BACKUP_KEY": f"age1{'q' * 58}"}, "BACKUP_KEY"),
    ({"DECODING_MEMORY_MB": "16"}, "DECODING_MEMORY_MB"),
    ({"MAX_MEGAPIXELS": "100", "DECODING_MEMORY_MB": "700"}, "DECODING_MEMORY_MB"),
    ({"MAX_FILE_SIZE": "1024"}, "MAX_FILE_SIZE"),
    ({"D1_ALLOWANCE": "100", "HOSTS": "50"}, "D1_ALLOWANCE"),
    ({"D1_MOST_CALLS": "8"}, "D1_MOST_CALLS"),
    ({"D1_TIMEOUT": "0.5"}, "D1_TIMEOUT"),
    ({"VIEW_FLUSH_SECONDS": "0"}, "VIEW_FLUSH_SECONDS"),
    ({"REPLICA_MAX_AGE": "604800"}, "REPLICA_MAX_AGE"),
    ({"USER_REQUESTS_SECONDS": "31536000"}, "USER_REQUESTS"),
    ({"SIGN_IN_FAILURES": "1000000"}, "SIGN_IN_FAILURES"),
    ({"TRASH_DAYS": "0"}, "TRASH_DAYS"),
    ({"JWT_SECRET_PREVIOUS": "ab" * 20}, "JWT_SECRET_PREVIOUS"),
    ({"ADMIN_PASSWORD": "indigo-vat-42"}, "ADMIN_PASSWORD"),
    ({"LOG_LEVEL": "CRITICAL"}, "LOG_LEVEL"),
    ({"DATABASE_URL": "sqlite:////srv/gallery.sqlite3"}, "DATABASE_URL"),
    ({"DATA": "/dev/null/data"}, "DATA"),
    ({"CACHE_URL": "redis://127.0.0.1:1/0"}, "CACHE_URL"),
    ({"METRICS_TOKEN": None}, "METRICS_TOKEN"),
    ({"METRICS_TOKEN": "another-token-than-the-service-has"}, "METRICS_TOKEN"),
    ({"CLIENT_ADDRESS_HEADER": None}, "CLIENT_ADDRESS_HEADER"),
    ({"CLIENT_ADDRESS_HEADER": "X-Forwarded-For"}, "CLIENT_ADDRESS_HEADER"),
    ({**dict.fromkeys(D1_VARIABLES), "DATABASE_URL": "postgres://gallery@db/gallery"}, "DATABASE_URL"),
    ({"CONSOLE_TIME_ZONE": "Mars"}, "CONSOLE_TIME_ZONE"),
    ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL"),
    ({"SECURE_SSL_REDIRECT": "maybe"}, "SECURE_SSL_REDIRECT"),
    ({"SECURE_SSL_REDIRECT": "false"}, "SECURE_SSL_REDIRECT"),
    ({"MAX_PAGE_SIZE": "10"}, "MAX_PAGE_SIZE"),
    ({"PORT": "abc"}, "PORT"),
    ({"DEBUG": "true"}, "DEBUG"),
    ({"ENVIRONMENT": "prod"}, "ENVIRONMENT"),
    ({"REPLICA_MAXAGE": "5"}, "REPLICA_MAX_AGE"),
]


@pytest.mark.parametrize(
    ("changes", "named"),
    BROKEN,
    ids=["-".join(f"{k}={v}" for k, v in list(c.items())[-1:]) for c, _ in BROKEN],
)
def test_a_setting_that_is_broken_is_named(world, changes, named):
    told = examined(world, **changes)
    told.sentences.pop(NO_BACKUP, None)
    assert named in " ".join(told.sentences.values()), told.output


def test_of_a_database_that_is_still_empty_only_the_migration_is_missing(world):
    """The first thing that the guide asks for, before anything is deployed."""
    variables = ("CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_D1_BASE_URL")
    account, token, address = (world.environment[name] for name in variables)
    api = Api(Settings(account_id=account, api_token=token, base_url=address))
    told = examined(
        world, CLOUDFLARE_D1_DATABASE_ID=api.create("empty"), DATA=f"{world.environment['DATA']}/empty"
    )
    assert told.sentences.keys() - {NO_BACKUP, "copies.replica"} == {"d1.schema", "database.migrations"}
    assert all(
        "Run `manage.py migrate`" in told.sentences[name] for name in ("d1.schema", "database.migrations")
    )


def test_a_private_bucket_that_the_public_address_shows_is_named(world):
    store = world.environment["CLOUDFLARE_R2_ENDPOINT_URL"]
    # The two buckets changed places, as when their names were confused.
    swapped = {"CLOUDFLARE_R2_BUCKET_NAME": PRIVATE_BUCKET, "CLOUDFLARE_R2_PRIVATE_BUCKET_NAME": "gallery"}
    told = examined(world, **swapped, CLOUDFLARE_R2_PUBLIC_URL=f"{store}/gallery")
    assert "CLOUDFLARE_R2_PRIVATE_BUCKET_NAME" in told.sentences["private_bucket.private"]
    assert "CLOUDFLARE_R2_PUBLIC_URL" in told.sentences["bucket.address"]
    assert told.status == 1


def test_a_service_that_believes_its_clients_about_their_address_is_named(world):
    """The same service behind no proxy, where the client itself sends the header."""
    plain = f"http://127.0.0.1:{world.environment['PORT']}"
    done = world.manage("doctor", "--json", "--url", plain)
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert checks["service.https"]["status"] == "fault"
    assert "X-Real-IP" in checks["service.client_address"]["sentence"]


def descendants(process: int) -> list[int]:
    children = [
        int(child)
        for file in Path(f"/proc/{process}/task").glob("*/children")
        for child in file.read_text().split()
    ]
    return [one for child in children for one in (child, *descendants(child))]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_ctrl_c_ends_everything(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "devtools.prod_like"],
        cwd=ROOT,
        env={**os.environ, "DATA": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Ctrl-C" in line:
            break
    assert any("Sign in as asha with" in line for line in lines), lines
    file = tmp_path / "prod-like.env"
    assert file.stat().st_mode & 0o077 == 0
    command = f". {file}; exec {sys.executable} manage.py doctor"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True)
    assert "0 faults" in done.stdout, done.stdout + done.stderr
    running = descendants(process.pid)
    assert len(running) > 4  # the supervisor, the engine, the store, gunicorn and its workers
    os.killpg(process.pid, signal.SIGINT)
    process.wait(90)
    assert [one for one in running if is_alive(one)] == []
    assert not file.exists()


def is_alive(process: int) -> bool:
    """Whether it still runs; a zombie that nobody has waited for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False
