"""The real server (gunicorn) on a free port with its own folder, and a client that speaks only HTTP."""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypedDict, Unpack

import requests

from devtools import limits
from devtools.ports import free_port
from devtools.static_files import collect_static_files

ROOT = Path(__file__).parents[1]
START_SECONDS = 60
Json = dict[str, Any]  # as the API returns it


class Sent(TypedDict, total=False):
    """What `requests` can send with a request."""

    params: Mapping[str, str | int]
    json: Json
    data: bytes | BinaryIO | Mapping[str, str]
    files: Mapping[str, tuple[str, bytes, str]]
    headers: Mapping[str, str]
    stream: bool
    allow_redirects: bool


@dataclass
class Server:
    """A gallery that `serving()` runs: its address, its folder, its environment and its admin's sign-in.

    `pid` is the process that forks the workers, once it runs.
    """

    address: str
    data: Path
    environment: dict[str, str] = field(repr=False)
    admin: dict[str, str] = field(repr=False)
    pid: int = 0

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

    def set_up(self) -> None:
        """Create the tables and the admin."""
        self.manage("migrate", "--verbosity", "0")
        name, password = self.admin["username"], self.admin["password"]
        self.manage("create_admin", "--no-input", "--username", name, "--password", password)


class Client:
    """Calls the API like the app, and keeps the tokens of its sign-in."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.session = requests.Session()
        self.token: Json = {}

    def sign_in(self, username: str, password: str) -> Json:
        answer = self.post("/api/auth/login", json={"username": username, "password": password})
        assert answer.status_code == 200, answer.text
        self.use(answer.json())
        return self.token

    def use(self, token: Json) -> None:
        self.token = token
        self.session.headers["Authorization"] = f"Bearer {token['access_token']}"

    def request(self, method: str, path: str, **sent: Unpack[Sent]) -> requests.Response:
        return self.session.request(method, self.address + path, timeout=30, **sent)

    def get(self, path: str, **sent: Unpack[Sent]) -> requests.Response:
        return self.request("GET", path, **sent)

    def post(self, path: str, **sent: Unpack[Sent]) -> requests.Response:
        return self.request("POST", path, **sent)

    def put(self, path: str, **sent: Unpack[Sent]) -> requests.Response:
        return self.request("PUT", path, **sent)

    def delete(self, path: str, **sent: Unpack[Sent]) -> requests.Response:
        return self.request("DELETE", path, **sent)


def new_server(data: Path, **environment: str) -> Server:
    """Return a server that does not run yet."""
    settings = {"DATA": str(data), "DJANGO_SETTINGS_MODULE": "gallery_project.settings"}
    admin = {"username": "asha", "password": secrets.token_hex(12)}
    address = f"http://127.0.0.1:{free_port()}"
    return Server(address, data, {**os.environ, **limits.RAISED, **environment, **settings}, admin)


@contextlib.contextmanager
def serving(server: Server, page: str = "/health/ready") -> Iterator[Server]:
    """Run the server until the block ends, by SIGTERM too; the block begins when that page answers 200."""
    if threading.current_thread() is threading.main_thread():  # no other may
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    if server.environment.get("ENVIRONMENT") == "production":
        collect_static_files()
    with open(server.data / "server.log", "ab") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py"),
                *("--bind", server.address.removeprefix("http://"), "gallery_project.wsgi"),
            ],
            cwd=ROOT,
            env=server.environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        server.pid = process.pid
        wait_for_page(server.address + page, process)
        yield server
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def wait_for_page(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, f"The server ended with status {process.returncode}."
        with contextlib.suppress(requests.ConnectionError):
            if requests.get(url, timeout=2).status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"The server did not answer within {START_SECONDS} s.")
