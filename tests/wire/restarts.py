"""Workers and the server are restarted while requests run: what was acknowledged is there, and nothing is a 5xx."""

import contextlib
import http.client
import json
import os
import secrets
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.systems import PRODUCTION
from devtools.serving import new_server, serving
from tests.e2e.processes import workers_of
from tests.e2e.raw_http import Wire
from tests.wire.host import JSON, LIST, Host, filled
from tests.wire.table import Table

CLIENTS = 8
SECONDS = 12.0
RECYCLED = {"GUNICORN_CMD_ARGS": "--max-requests 150 --max-requests-jitter 50"}


@dataclass
class Writers:
    """Clients that create designs, each on a kept connection, one after the other, until `is_over`."""

    host: Host
    ids: list[int] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)  # answers of 500 and above
    lost: list[str] = field(default_factory=list)  # requests without an answer
    is_over: threading.Event = field(default_factory=threading.Event)

    def run(self, act: Callable[[], None]) -> None:
        """Write, and meanwhile act."""
        threads = [threading.Thread(target=self.write) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            act()
        finally:
            self.is_over.set()
            for thread in threads:
                thread.join()

    def write(self) -> None:
        wire: Wire | None = None
        while not self.is_over.is_set():
            try:
                wire = wire or self.host.wire()
                if not self.create(wire):
                    wire.socket.close()
                    wire = None
            except (OSError, http.client.HTTPException) as error:
                self.lost.append(repr(error))
                wire = None
                time.sleep(0.05)

    def create(self, wire: Wire) -> bool:
        """Create a design; return whether the connection goes on."""
        fields = {"title": secrets.token_hex(8), "category": "Saree", "r2_object_key": self.key}
        answer = wire.ask("POST", LIST, JSON, self.host.bearer, body=json.dumps(fields).encode())
        if answer.status == 201:
            self.ids.append(answer.json()["id"])
        else:
            self.errors.append(f"{answer.status} {answer.body[:100]!r}")
        return not answer.closes

    @property
    def key(self) -> str:
        return self.host.picture.removeprefix("/media/")

    def missing(self) -> list[str]:
        """Return the acknowledged designs that are not there."""
        asked = [(number, self.host.admin.get(f"{LIST}/{number}").status_code) for number in self.ids]
        return [f"design {number}: {status}" for number, status in asked if status != 200]


def check(table: Table) -> None:
    table.title(f"Restarts while {CLIENTS} clients write")
    with tempfile.TemporaryDirectory(prefix="gallery-wire-") as folder:
        server = new_server(Path(folder), **{**PRODUCTION, "WEB_CONCURRENCY": "2"})
        server.set_up()
        with serving(server):
            host = filled(server)
            reported(table, "SIGHUP to the server, three times", host, lambda: hang_up(host))
            reported(table, "SIGTERM to each worker, twice", host, lambda: end_workers(host))
            stopping = Writers(host)
            stopping.run(lambda: stop(host))
        with serving(server):
            # Its clients find nobody there until it runs again; what they were told holds.
            table.count(
                "SIGTERM to the server: acknowledged writes are there", stopping.missing(), len(stopping.ids)
            )
            table.count(
                "SIGTERM to the server: no 5xx", stopping.errors, len(stopping.ids) + len(stopping.errors)
            )
    with tempfile.TemporaryDirectory(prefix="gallery-wire-") as folder:
        server = new_server(Path(folder), **{**PRODUCTION, **RECYCLED, "WEB_CONCURRENCY": "2"})
        server.set_up()
        with serving(server):
            host = filled(server)
            reported(table, "max_requests of 150 to 200", host, lambda: time.sleep(SECONDS))


def reported(table: Table, name: str, host: Host, act: Callable[[], None]) -> None:
    writers = Writers(host)
    before = workers_of(host.server)
    writers.run(act)
    tries = len(writers.ids) + len(writers.errors) + len(writers.lost)
    after = workers_of(host.server)
    table.count(f"{name}: each request is answered", writers.lost, tries)
    table.count(f"{name}: no 5xx", writers.errors, tries)
    table.count(f"{name}: acknowledged writes are there", writers.missing(), len(writers.ids))
    new = f"{len(set(after) - set(before))} of {len(after)}"
    table.add(f"{name}: workers are new", new, "all", holds=not set(after) & set(before))


def hang_up(host: Host) -> None:
    for _ in range(3):
        time.sleep(SECONDS / 4)
        os.kill(host.server.pid, signal.SIGHUP)
    time.sleep(SECONDS / 2)


def end_workers(host: Host) -> None:
    for number in (0, 1, 0, 1):
        time.sleep(SECONDS / 4)
        with contextlib.suppress(ProcessLookupError, IndexError):
            os.kill(workers_of(host.server)[number], signal.SIGTERM)
    time.sleep(SECONDS / 2)


def stop(host: Host) -> None:
    time.sleep(SECONDS / 4)
    os.kill(host.server.pid, signal.SIGTERM)
    time.sleep(SECONDS / 4)
