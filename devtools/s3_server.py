"""A real S3 server on this machine: SeaweedFS from PyPI, which checks signatures.

`S3Server` starts and stops one. `shared()` gives all workers of a test run the same one, since each takes 230 MB.
`python -m devtools.s3_server STATE PID` serves until the process PID ends.
"""

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import boto3
from botocore.client import BaseClient
from botocore.config import Config

from devtools.ports import free_ports

START_SECONDS = 60.0
LISTENERS = [
    *("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc"),
    *("s3.port", "s3.port.grpc", "admin.port", "admin.port.grpc"),
]
QUIET = [
    *("-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-webdav=false", "-admin.ui=false", "-s3.iam=false"),
    *("-master.telemetry=false", "-s3.port.iceberg=0", "-s3.port.lance=0"),
]


def weed_binary() -> str:
    """Return the path of SeaweedFS's program. Raises RuntimeError if it is not installed."""
    found = shutil.which("weed", path=Path(sys.executable).parent) or shutil.which("weed")
    if found is None:
        raise RuntimeError(
            "The S3 server is not installed: PyPI has no SeaweedFS for this platform, so install `weed`."
        )
    return found


class S3Server:
    """A server with its data in `folder`, as a context manager. `access_key` and `secret_key` give access.

    The objects of `public_bucket` are readable without a key, as behind R2's public address.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        access_key: str = "",
        secret_key: str = "",
        public_bucket: str = "",
    ) -> None:
        self.public_bucket = public_bucket
        self.folder = folder
        self.access_key = access_key or secrets.token_hex(10).upper()
        self.secret_key = secret_key or secrets.token_urlsafe(30)
        self.ports = dict(zip(LISTENERS, free_ports(len(LISTENERS)), strict=True))
        self.ports["s3.port"] = port or self.ports["s3.port"]
        self.endpoint = f"http://127.0.0.1:{self.ports['s3.port']}"

    def __enter__(self) -> "S3Server":
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
        ports = [f"-{name}={port}" for name, port in self.ports.items()]
        log = (self.folder / "weed.log").open("ab")
        self.process = subprocess.Popen(
            [weed_binary(), "mini", f"-dir={data}", f"-s3.config={config}", *QUIET, *ports],
            stdout=log,
            stderr=log,
            cwd=self.folder,
        )
        self.wait()
        return self

    def wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(Exception):
                self.client().list_buckets()
                return
            time.sleep(0.1)
        tail = (self.folder / "weed.log").read_text(errors="replace")[-2000:]
        self.stop()
        raise RuntimeError(f"The S3 server does not answer:\n{tail}")

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def client(self) -> BaseClient:
        return s3_client(self.endpoint, self.access_key, self.secret_key)


def s3_client(endpoint: str, access_key: str, secret_key: str) -> BaseClient:
    """Return a plain S3 client, with which tests reach the bucket directly."""
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
    """Return the `endpoint`, `access_key` and `secret_key` of a test run's server; the first call starts it.

    `run_folder` is the same for all workers. The server ends with the process `owner`.
    """
    run_folder.mkdir(parents=True, exist_ok=True)
    state = run_folder / "s3-server.json"
    with (run_folder / "s3-server.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not state.exists():
            subprocess.Popen(
                [sys.executable, "-m", "devtools.s3_server", str(state), str(owner)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd=Path(__file__).parent.parent,
                start_new_session=True,
            )
            deadline = time.monotonic() + START_SECONDS
            while not state.exists():
                if time.monotonic() > deadline:
                    raise RuntimeError("The S3 server did not start.")
                time.sleep(0.05)
    found: dict[str, str] = json.loads(state.read_text())
    return found


def serve(state: Path, owner: int) -> None:
    """Serve until `owner` ends; write the address and the keys to `state`."""
    folder = Path(tempfile.mkdtemp(prefix="design-gallery-s3-"))
    try:
        with S3Server(folder) as server:
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
