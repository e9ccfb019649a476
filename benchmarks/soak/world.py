"""The service that is soaked: as in production, behind a cloud that fails on command, with a catalogue."""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import systems
from benchmarks.soak.cloud import SoakCloud, soak_cloud
from d1backend.local import D1Local
from d1backend.options import Settings
from d1backend.protocol.api import Api
from devtools import local_cloud, prod_like
from devtools.ports import free_port
from devtools.s3_server import S3Server
from devtools.tls_proxy import HOST, TlsProxy

# The oldest worker lasts from start to start, to show how its memory grows.
LASTING = {"GUNICORN_CMD_ARGS": "--max-requests=0 --max-requests-jitter=0"}
TOKEN_MINUTES = "1440"  # of the readers who are there at the beginning
END_SECONDS = 60.0


@dataclass
class World:
    """The running service at `url`, its folder, its admin, and access tokens of `reader0`, `reader1`, …"""

    url: str
    data: Path
    environment: dict[str, str] = field(repr=False)
    admin: dict[str, str] = field(repr=False)
    tokens: list[str] = field(repr=False)
    cloud: SoakCloud
    engine: Api
    server: subprocess.Popen[bytes]

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        """Return rows as D1's engine holds them, behind the back of the service."""
        database = self.environment["CLOUDFLARE_D1_DATABASE_ID"]
        rows: list[tuple[object, ...]] = [
            tuple(row) for row in self.engine.batch(database, [(sql, [])])[0]["rows"]
        ]
        return rows

    def write_elsewhere(self, rows: int) -> None:
        """Change so many designs on D1, as another host does; readers see no difference."""
        moment = "strftime('%Y-%m-%d %H:%M:%f', 'now')"
        self.ask(
            f"UPDATE designs SET updated_at = {moment} WHERE id <= {rows} AND category NOT LIKE 'Soak %'"
        )

    def workers(self) -> list[int]:
        """Return gunicorn's workers, the oldest first."""
        commands = {pid: command_of(pid) for pid in systems.children_of(self.server.pid)}
        return sorted(pid for pid, command in commands.items() if "gallery_project.filler" not in command)

    def kill_worker(self) -> int:
        """End the youngest worker by SIGKILL, so that the oldest one's memory tells how it grows; return its id."""
        pid = self.workers()[-1]
        os.kill(pid, signal.SIGKILL)
        return pid

    def restart(self) -> float:
        """End the server by SIGTERM, as a platform does, and start it again; return the seconds until it is ready."""
        began = time.monotonic()
        self.server.terminate()
        self.server.wait(END_SECONDS)
        self.server = start(self.environment, self.data / "server.log")
        prod_like.wait_until_ready(f"{self.url}/health/ready", self.server)
        return time.monotonic() - began

    def lift_allowance(self) -> None:
        """Restart the server where neither it nor D1 counts calls."""
        self.cloud.lift_allowance()
        self.environment["D1_ALLOWANCE"] = "0"
        self.restart()

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.server.terminate()
        try:
            self.server.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.server.pid, signal.SIGKILL)


def command_of(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


def start(environment: dict[str, str], log_file: Path) -> subprocess.Popen[bytes]:
    """Run the server of the Procfile in a process group of its own."""
    with log_file.open("ab") as log:
        return subprocess.Popen(
            ["sh", "-c", f"exec {prod_like.procfile('web')}"],
            cwd=prod_like.ROOT,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


@contextlib.contextmanager
def soaked_world(size: int, readers: int, favourites: int | None) -> Iterator[World]:
    """Fill a catalogue of `size` designs with `readers`, and serve it until the block ends."""
    with contextlib.ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gallery-soak-")))
        (data / "s3").mkdir()
        engine = stack.enter_context(D1Local())
        store = stack.enter_context(S3Server(data / "s3", public_bucket=local_cloud.BUCKET))
        prod_like.ensure_buckets(store)
        # Its certificate is the only thing of it that is used: the load is what such a proxy sends on.
        proxy, port, kept = (
            TlsProxy("http://unused", data),
            free_port(),
            prod_like.secrets_of(data / "secrets.json"),
        )
        near = {
            **prod_like.clean(os.environ),
            **local_cloud.variables(engine, store),
            "CLOUDFLARE_R2_PRIVATE_BUCKET_NAME": local_cloud.PRIVATE_BUCKET,
            **prod_like.production(data, port, proxy, kept),
        }
        filling = {**near, "REPLICA": "off", "D1_TIMEOUT": "35", "D1_ALLOWANCE": "0"}
        tokens = systems.fill(
            size, readers, {**filling, "ACCESS_TOKEN_MINUTES": TOKEN_MINUTES}, favourites=favourites
        )
        prod_like.prepare(filling, kept)
        cloud = stack.enter_context(soak_cloud(engine.url, engine.token, store.endpoint))
        environment = {
            **near,
            **systems.SMALL_HOST,
            **LASTING,
            "CLOUDFLARE_D1_BASE_URL": cloud.d1_url,
            "CLOUDFLARE_R2_ENDPOINT_URL": cloud.store_url,
        }
        api = Api(Settings(local_cloud.ACCOUNT, engine.token, engine.url))
        stack.callback(api.close)
        admin = {"username": "asha", "password": kept["admin_password"]}
        server = start(environment, data / "server.log")
        world = World(f"http://{HOST}:{port}", data, environment, admin, tokens, cloud, api, server)
        stack.callback(world.stop)
        prod_like.wait_until_ready(f"{world.url}/health/ready", server)
        prod_like.manage(environment, "d1_replica", "snapshot")  # fails where the server is just writing one
        yield world
