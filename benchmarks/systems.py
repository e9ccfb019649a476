"""The systems that benchmarks compare: servers on this machine, each with its data in its own folder."""

import contextlib
import os
import resource
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import requests

from core.variables import declared
from core.variables.reading import Environment
from devtools import limits
from devtools.static_files import collect_static_files

ROOT = Path(__file__).parents[1]
JWT_SECRET = secrets.token_hex(32)
START_SECONDS = 180.0
END_SECONDS = 60.0  # gunicorn ends workers that still answer after 30
PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECURE_SSL_REDIRECT": "false",
    "ALLOWED_HOSTS": "127.0.0.1",
    "ACCESS_TOKEN_MINUTES": "240",
    "JWT_SECRET": JWT_SECRET,
    "DJANGO_SETTINGS_MODULE": "gallery_project.settings",
}
SMALL_HOST = {"MAX_MEGAPIXELS": "20", "DECODING_MEMORY_MB": "160"}  # as one of 512 MB has them by default


@dataclass
class System:
    """A server at `url`; `pid` is its first process, whose children are the workers."""

    url: str
    pid: int

    def cpu(self) -> float:
        """Return the seconds of CPU that the workers have used so far."""
        return sum(map(cpu_of, children_of(self.pid)))


def environment(data: Path, **more: str) -> dict[str, str]:
    """Return the environment of a production server, without the caller's own databases and stores."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CLOUDFLARE_")}
    kept.pop("DATABASE_URL", None)
    return {**kept, **limits.RAISED, **PRODUCTION, "DATA": str(data), **more}


def fill(
    designs: int, users: int, env: dict[str, str], tree: Path = ROOT, *, favourites: int | None = None
) -> list[str]:
    """Create a catalogue in the database of `env` by the code in `tree`, and return an access token per user."""
    command = [sys.executable, "-m", "benchmarks.catalogue", str(designs), str(users)]
    if favourites is not None:
        command.append(str(favourites))
    done = subprocess.run(command, cwd=tree, env=env, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.split()


def manage(env: dict[str, str], *arguments: str, tree: Path = ROOT) -> None:
    """Run a command of the project in `tree`; the run ends if it fails."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=tree, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"manage.py {' '.join(arguments)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")


@contextlib.contextmanager
def gallery(
    data: Path,
    port: int,
    env: dict[str, str],
    tree: Path = ROOT,
    *,
    application: str = "gallery_project.wsgi",
    ready: Callable[[str], bool] | None = None,
) -> Iterator[System]:
    """Run the project in `tree` as in production; wait until `ready`, or until its replica, if any, is filled."""
    collect_static_files(tree)
    command = ["gunicorn", "--config", "gunicorn.conf.py", "--bind", f"127.0.0.1:{port}"]
    with running([*command, application], data, port, env, tree) as system:
        wait_for(lambda: (ready or is_ready)(system.url))
        yield system


@contextlib.contextmanager
def peer(data: Path, port: int, env: dict[str, str]) -> Iterator[System]:
    """Run the original design (benchmarks.peer) with as many workers."""
    workers = str(Environment()[declared.WEB_CONCURRENCY])
    command = [
        "uvicorn",
        "--port",
        str(port),
        "--workers",
        workers,
        "--no-access-log",
        "benchmarks.peer.app:app",
    ]
    with running(command, data, port, env) as system:
        wait_for(lambda: requests.get(f"{system.url}/docs", timeout=5).ok)
        yield system


@contextlib.contextmanager
def running(
    command: list[str], data: Path, port: int, env: dict[str, str], tree: Path = ROOT
) -> Iterator[System]:
    """Run a Python module in `tree` until the block ends. Its log is the folder's server.log."""
    # This ends the block, too. Only the main thread may; it has done so before another thread runs a server.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with open(data / "server.log", "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=tree,
            env=env,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield System(f"http://127.0.0.1:{port}", process.pid)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(END_SECONDS)


def is_ready(url: str) -> bool:
    ready = requests.get(f"{url}/health/ready", timeout=5)
    if ready.status_code != 404:
        return ready.ok
    # An older tree, as bench-pairs may compare.
    health = requests.get(f"{url}/health", timeout=5).json()
    copy = health["checks"]["database"].get("replica")
    return copy is None or copy["age_s"] is not None


def is_live(url: str) -> bool:
    return requests.get(f"{url}/health/live", timeout=5).ok


def wait_for(ready: Callable[[], bool]) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(requests.RequestException):
            if ready():
                return
        if time.monotonic() > until:
            raise TimeoutError("The server did not start: see server.log.")
        time.sleep(0.2)


def children_of(pid: int) -> list[int]:
    """Return the child processes of a process, by Linux's /proc; none elsewhere."""
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def descendants_of(pid: int) -> list[int]:
    """Return the child processes of a process, and theirs, by Linux's /proc; none elsewhere."""
    return [one for child in children_of(pid) for one in (child, *descendants_of(child))]


def share_of(pid: int) -> int:
    """Return the bytes of a process's proportional share (proc(5)): a page that several map counts once in all."""
    return shares_of(pid)["Pss"]


def shares_of(pid: int) -> dict[str, int]:
    """Return the same with its parts: `Pss_Anon`, `Pss_File` (which the kernel can drop) and `Pss_Shmem`."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    named = (line.split(":") for line in lines if line.startswith("Pss"))
    return {name: int(size.split()[0]) * 1024 for name, size in named}


def resident_of(pid: int) -> int:
    """Return the bytes of a process in memory, by Linux's /proc; 0 elsewhere."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return 0


def cpu_of(pid: int) -> float:
    """Return the seconds of CPU of a process and its ended children, by Linux's /proc; 0 elsewhere."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
