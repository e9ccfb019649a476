"""Start and stop the local engine."""

import json
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

_HERE = Path(__file__).resolve().parent
_MEMORY = Path("/dev/shm")  # noqa: S108  Linux keeps it in memory; elsewhere the data lies in a temporary folder

# npm's package of each platform, by platform.system() and platform.machine(); package.json names the same.
_PACKAGES = {
    ("Linux", "x86_64"): "workerd-linux-64",
    ("Linux", "aarch64"): "workerd-linux-arm64",
    ("Darwin", "x86_64"): "workerd-darwin-64",
    ("Darwin", "arm64"): "workerd-darwin-arm64",
}


def workerd_binary() -> Path | None:
    """The engine's binary: $WORKERD, or this platform's from `make d1-engine`; None if it is not installed."""
    if named := os.environ.get("WORKERD"):
        return Path(named)
    package = _PACKAGES.get((platform.system(), platform.machine()))
    binary = _HERE / "node_modules" / "@cloudflare" / (package or "") / "bin" / "workerd"
    return binary if package and binary.is_file() else None


def _missing() -> RuntimeError:
    here = platform.system(), platform.machine()
    if here not in _PACKAGES:
        return RuntimeError(
            f"Cloudflare builds no D1 engine for {' '.join(here)}: set WORKERD to a workerd binary of your own."
        )
    return RuntimeError("The local D1 engine is not installed: run `make d1-engine`.")


class D1Local:
    """A running engine: `with D1Local(autocreate=True) as d1: d1.url, d1.token`.

    `port` 0 picks a free one. Without `persist` (a directory) the data is deleted at the end. With
    `autocreate` any database id exists on first use. Raises RuntimeError if the engine is not installed
    or does not start.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        persist: str | None = None,
        token: str = "local",  # noqa: S107
        *,
        autocreate: bool = False,
    ) -> None:
        self.host, self.port, self.persist, self.token, self.autocreate = (
            host,
            port,
            persist,
            token,
            autocreate,
        )
        self.directory = ""
        self.process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/client/v4"

    def __enter__(self) -> Self:
        binary = workerd_binary()
        if binary is None:
            raise _missing()
        self.directory = self.persist or tempfile.mkdtemp(
            prefix="d1-local-", dir=_MEMORY if _MEMORY.is_dir() else None
        )
        Path(self.directory).mkdir(parents=True, exist_ok=True)
        env = {**os.environ, "D1_LOCAL_TOKEN": self.token}
        env.pop("D1_LOCAL_AUTOCREATE", None)
        if self.autocreate:
            env["D1_LOCAL_AUTOCREATE"] = "1"
        reader, writer = os.pipe()
        command = [
            str(binary),
            "serve",
            f"--control-fd={writer}",
            f"-shttp={self.host}:{self.port}",
            f"-ddata={Path(self.directory).resolve()}",
            str(_HERE / "d1.capnp"),
        ]
        self.process = subprocess.Popen(command, pass_fds=[writer], env=env)  # noqa: S603
        os.close(writer)
        with os.fdopen(reader) as control:
            for line in control:
                event = json.loads(line)
                if event.get("event") == "listen":
                    self.port = event["port"]
                    return self
        raise RuntimeError(f"The local D1 engine ended at once with status {self.process.wait()}.")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        self.process.wait(10)
        if not self.persist:
            shutil.rmtree(self.directory, ignore_errors=True)
