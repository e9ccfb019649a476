"""A real S3 server on this host: SeaweedFS from PyPI, which checks signatures.

`SeaweedFS` starts and stops one; `shared()` gives all workers of a test run the same one, since each takes
230 MB. Run as a program (`python -m devtools.seaweed FOLDER PID`) it serves until the process PID has gone.
"""

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import boto3
from botocore.config import Config

PATIENCE = 60.0  # seconds
LISTENERS = [
    *("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc"),
    *("s3.port", "s3.port.grpc", "admin.port", "admin.port.grpc"),
]
QUIET = [
    *("-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-webdav=false", "-admin.ui=false", "-s3.iam=false"),
    *("-master.telemetry=false", "-s3.port.iceberg=0", "-s3.port.lance=0"),
]


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, all different."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class SeaweedFS:
    """A server with its data in `folder`; a context manager. `access_key` and `secret_key` open it.

    Anybody may read the objects of `public_bucket`, as behind R2's public address.
    """

    def __init__(
        self, folder: Path, *, port: int | None = None, access_key="", secret_key="", public_bucket=""
    ):
        self.public_bucket = public_bucket
        self.folder = folder
        self.access_key = access_key or secrets.token_hex(10).upper()
        self.secret_key = secret_key or secrets.token_urlsafe(30)
        self.ports = dict(zip(LISTENERS, free_ports(len(LISTENERS)), strict=True))
        self.ports["s3.port"] = port or self.ports["s3.port"]
        self.endpoint = f"http://127.0.0.1:{self.ports['s3.port']}"

    def __enter__(self) -> "SeaweedFS":
        data = self.folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        identity = {
            "name": "app",
            "credentials": [{"accessKey": self.access_key, "secretKey": self.secret_key}],
            "actions": ["Admin", "Read", "Write", "List"],
        }
        config = self.folder / "s3.json"
        identities = [identity]
        if self.public_bucket:
            identities.append({"name": "anonymous", "actions": [f"Read:{self.public_bucket}"]})
        config.write_text(json.dumps({"identities": identities}))
        config.chmod(0o600)
        program = Path(sys.executable).parent / "weed"
        ports = [f"-{name}={port}" for name, port in self.ports.items()]
        log = (self.folder / "weed.log").open("ab")
        self.process = subprocess.Popen(
            [program, "mini", f"-dir={data}", f"-s3.config={config}", *QUIET, *ports],
            stdout=log,
            stderr=log,
            cwd=self.folder,
        )
        self.wait()
        return self

    def wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(Exception):
                self.client().list_buckets()
                return
            time.sleep(0.1)
        tail = (self.folder / "weed.log").read_text(errors="replace")[-2000:]
        self.__exit__()
        raise RuntimeError(f"SeaweedFS does not answer:\n{tail}")

    def __exit__(self, *error: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def client(self):
        return s3_client(self.endpoint, self.access_key, self.secret_key)


def s3_client(endpoint: str, access_key: str, secret_key: str):
    """A plain S3 client, for what tests do behind the gallery's back."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="auto",
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            connect_timeout=2,
            read_timeout=10,
            retries={"total_max_attempts": 1},
        ),
    )


def shared(run_folder: Path, owner: int) -> dict[str, str]:
    """The server of a test run, started by the first who asks: `endpoint`, `access_key`, `secret_key`.

    `run_folder` is the same for all workers, and `owner` the process with whose end the server ends.
    """
    run_folder.mkdir(parents=True, exist_ok=True)
    state = run_folder / "seaweed.json"
    with (run_folder / "seaweed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not state.exists():
            subprocess.Popen(
                [sys.executable, "-m", "devtools.seaweed", str(state), str(owner)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd=Path(__file__).parent.parent,
                start_new_session=True,
            )
            deadline = time.monotonic() + PATIENCE
            while not state.exists():
                if time.monotonic() > deadline:
                    raise RuntimeError("SeaweedFS did not start.")
                time.sleep(0.05)
    return json.loads(state.read_text())


def serve(state: Path, owner: int) -> None:
    """Serve until `owner` has gone; the address and the keys are written to `state`."""
    folder = Path(tempfile.mkdtemp(prefix="design-gallery-seaweed-"))
    try:
        with SeaweedFS(folder) as server:
            draft = state.with_suffix(".draft")
            draft.write_text(
                json.dumps({name: getattr(server, name) for name in ("endpoint", "access_key", "secret_key")})
            )
            draft.rename(state)
            while alive(owner) and server.process.poll() is None:
                time.sleep(0.2)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
