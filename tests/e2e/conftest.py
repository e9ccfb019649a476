"""The real server on a free port, with a folder of its own, and a client that knows only HTTP."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.engine import engine_environment

ROOT = Path(__file__).parents[2]
START_SECONDS = 60


@dataclass
class Server:
    """A running gallery: its address, its folder, and the sign-in of its admin."""

    address: str
    data: Path
    admin: dict[str, str]
    process: subprocess.Popen[bytes]
    environment: dict[str, str]

    def client(self, **sign_in: str) -> "Client":
        client = Client(self.address)
        if sign_in:
            client.sign_in(**sign_in)
        return client

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout


class Client:
    """Speaks to the API as the app does; keeps the tokens of its sign-in."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.session = requests.Session()
        self.token: dict[str, Any] = {}

    def sign_in(self, username: str, password: str) -> dict[str, Any]:
        answer = self.post("/api/auth/login", json={"username": username, "password": password})
        assert answer.status_code == 200, answer.text
        self.use(answer.json())
        return self.token

    def use(self, token: dict[str, Any]) -> None:
        self.token = token
        self.session.headers["Authorization"] = f"Bearer {token['access_token']}"

    def request(self, method: str, path: str, **arguments: Any) -> requests.Response:
        return self.session.request(method, self.address + path, timeout=30, **arguments)

    def get(self, path: str, **arguments: Any) -> requests.Response:
        return self.request("GET", path, **arguments)

    def post(self, path: str, **arguments: Any) -> requests.Response:
        return self.request("POST", path, **arguments)

    def put(self, path: str, **arguments: Any) -> requests.Response:
        return self.request("PUT", path, **arguments)

    def delete(self, path: str, **arguments: Any) -> requests.Response:
        return self.request("DELETE", path, **arguments)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_until_live(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server ended with {process.returncode}"
        try:
            if requests.get(f"{address}/health/live", timeout=2).status_code == 200:
                return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise AssertionError(f"no answer within {START_SECONDS} s")


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    data = tmp_path_factory.mktemp("gallery")
    port = free_port()
    environment = {
        **os.environ,
        **engine_environment(),
        "DATA": str(data),
        "DJANGO_SETTINGS_MODULE": "gallery_project.settings",
    }
    admin = {"username": "asha", "password": secrets.token_hex(12)}
    running = Server(f"http://127.0.0.1:{port}", data, admin, None, environment)  # type: ignore[arg-type]
    running.manage("migrate", "--verbosity", "0")
    running.manage(
        "create_admin", "--no-input", "--username", admin["username"], "--password", admin["password"]
    )
    with open(data / "server.log", "wb") as log:
        running.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py"),
                *("--bind", f"127.0.0.1:{port}", "gallery_project.wsgi"),
            ],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_until_live(running.address, running.process)
        yield running
    finally:
        os.killpg(running.process.pid, signal.SIGTERM)
        running.process.wait(30)


@pytest.fixture
def admin(server):
    return server.client(**server.admin)


@pytest.fixture
def make_user(server, admin):
    """Register a user; approve him unless told otherwise. Answers his sign-in."""

    def make(*, approved: bool = True) -> dict[str, str]:
        sign_in = {"username": f"user-{secrets.token_hex(6)}", "password": secrets.token_hex(12)}
        user = server.client().post("/api/auth/register", json=sign_in).json()["user"]
        if approved:
            assert admin.post(f"/api/admin/users/{user['id']}/approve").status_code == 200
        return sign_in

    return make
