"""One run of Schemathesis, on one operation of the document."""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from devtools.serving import ROOT, Json, Server, new_server
from tests.openapi.results import Result

METRICS_TOKEN = secrets.token_hex(16)
METHODS = ("get", "post", "put", "delete")
running: set[subprocess.Popen[str]] = set()  # the runs of all threads


@dataclass(frozen=True)
class Operation:
    id: str
    call: str  # GET /api/designs
    part: str  # the document's tag


def operations(document: Json) -> list[Operation]:
    """Return the operations of an OpenAPI document, in its order."""
    return [
        Operation(found["operationId"], f"{method.upper()} {path}", found["tags"][0])
        for path, methods in document["paths"].items()
        for method, found in methods.items()
        if method in METHODS
    ]


def new_target(folder: Path) -> Server:
    """Return a server for attacks that does not run yet: limits raised, tokens that outlast the run."""
    server = new_server(
        folder, METRICS_TOKEN=METRICS_TOKEN, ACCESS_TOKEN_MINUTES="1440", SIGN_IN_FAILURES="1000000"
    )
    server.environment["DJANGO_SETTINGS_MODULE"] = "tests.openapi.settings"
    return server


def attack(
    server: Server, token: Json, document: Path, operation: Operation, examples: int
) -> tuple[Result, str]:
    """Run every check of Schemathesis on the operation; return what it answered, and what Schemathesis printed."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder) / "counts.json"
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "SCHEMATHESIS_HOOKS": "tests.openapi.hooks",
            "GALLERY_ADDRESS": server.address,
            "GALLERY_TOKEN": json.dumps(token),
            "GALLERY_COUNTS": str(counts),
            "METRICS_TOKEN": METRICS_TOKEN,
        }
        process = subprocess.Popen(
            [
                *(Path(sys.executable).parent / "schemathesis", "run", document, "--url", server.address),
                *("--include-operation-id", operation.id, "--phases", "examples,coverage,fuzzing"),
                *("--checks", "all", "--continue-on-failure", "--max-examples", str(examples)),
                *("--seed", "1", "--generation-database", "none"),  # each run begins anew
                *("--suppress-health-check", "all"),  # they judge by the clock, and by what hooks leave out
            ],
            cwd=folder,  # it leaves its findings where it stands
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        running.add(process)
        told, _ = process.communicate()
        running.discard(process)
        found = json.loads(counts.read_text()) if counts.exists() else {}
    statuses = Counter(found.get(operation.call, {}))
    seconds = time.monotonic() - began
    failed = bool(process.returncode)
    return Result(operation.call, examples, statuses, failed, seconds), told


def stop_running() -> None:
    """End the runs of all threads, which wait for them."""
    for process in tuple(running):
        process.terminate()
