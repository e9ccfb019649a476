"""Measures what bench-bill reckons with: what each thing that hosts do costs on D1, on the local engine.

Three hosts in one process each (bill_host.py), each behind a meter: one that is used, one that follows it, and one that
starts from a snapshot. Then a server of several processes, as in production, which is read all the time: how often does
it write views and follow D1?
"""

import contextlib
import itertools
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import requests
from botocore.client import BaseClient

from benchmarks import systems
from benchmarks.bill_meter import Meter
from benchmarks.bill_model import Busy, Cost, Costs, Line
from d1backend.local import D1Local
from devtools.local_cloud import BUCKET, PRIVATE_BUCKET, ensure_buckets, variables
from devtools.ports import free_port
from devtools.s3_server import S3Server

USERS = 200
# Nothing happens on a host but what it is told.
QUIET = {"VIEW_FLUSH_SECONDS": "0", "REPLICA_MAX_AGE": "100000", "LOG_LEVEL": "WARNING"}
BUSY_SECONDS = 40.0
BETWEEN_READS = 0.02  # seconds
FEW, MANY = 1, 100  # designs of a flush
LIKES, EDITS = 40, 10
# How often each call is measured. The first one, which opens connections and reserves keys, is not.
CALLS = {
    **dict.fromkeys(("list_page", "search", "facets", "detail"), 10),
    **{"favourite": LIKES, "unfavourite": LIKES, "login": 5, "refresh": 10, "register": 5, "approve": 4},
    **{"upload": 10, "create": 9, "edit": EDITS},
}


class Host:
    """A process of bill_host.py and the meter between it and D1."""

    def __init__(self, process: subprocess.Popen[str], meter: Meter) -> None:
        self.process, self.meter = process, meter

    def tell(self, order: str, times: int = 1, *arguments: object) -> Cost:
        """Let the host do something so many times; return what that cost on D1 altogether."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        before = self.meter.total
        self.process.stdin.write(json.dumps([order, times, arguments]) + "\n")
        self.process.stdin.flush()
        if not self.process.stdout.readline():
            raise RuntimeError(f"The host failed to {order}: see its error above.")
        return self.meter.total - before

    def each(self, order: str, times: int) -> Cost:
        return self.tell(order, times) * (1 / times)


def measure(size: int) -> Costs:
    """Return what everything costs with a catalogue of so many designs."""
    with tempfile.TemporaryDirectory(prefix="gallery-bill-") as name, D1Local() as d1:
        folder = Path(name)
        with S3Server(folder / "s3") as store:
            ensure_buckets(store)
            near = variables(d1, store)
            say(f"Filling {size:,} designs")
            env = systems.environment(folder / "data", REPLICA="off", D1_TIMEOUT="35", **near)
            tokens = systems.fill(size, USERS, env)
            with (
                host(folder / "used", near) as used,
                host(folder / "follower", near) as follower,
                host(folder / "new", near) as new,
            ):
                for one in (used, new):
                    one.tell("meet", 1, size, tokens)
                say(f"Reading from a server for {BUSY_SECONDS:.0f} s")
                busy = measure_busy(folder / "busy", near, tokens, size)
                return measure_hosts(used, follower, new, store.client(), busy)


def measure_hosts(used: Host, follower: Host, new: Host, store: BaseClient, busy: Busy) -> Costs:
    say("Filling two copies from D1")
    used.tell("fill")
    start_by_fill = follower.tell("fill")
    say("Calling the API")
    used.tell("join_staff")
    calls = {name: measure_call(used, name, times) for name, times in CALLS.items()}
    objects = count_objects(store, BUCKET) / (CALLS["upload"] + 1)

    say("Writing views and following")
    follower.tell("sync")
    asking = follower.each("sync", 5)
    used.tell("favourite", LIKES)
    per_like = (follower.tell("sync") - asking) * (1 / LIKES)
    used.tell("edit", EDITS)
    per_edit = (follower.tell("sync") - asking) * (1 / EDITS)
    used.tell("refresh", EDITS)
    per_sign_in = (follower.tell("sync") - asking) * (1 / EDITS)
    flush_few, sync_few = measure_flush(used, follower, FEW)
    flush_many, sync_many = measure_flush(used, follower, MANY)
    views = Line.through(FEW, sync_few - asking, MANY, sync_many - asking)

    say("Starting a host from a snapshot")
    snapshot = used.tell("snapshot")
    snapshot_objects = count_objects(store, PRIVATE_BUCKET)
    start = new.tell("fill")
    look = follower.tell("sync_an_hour_later") - asking
    return Costs(
        calls=calls,
        objects_of_upload=objects,
        flush=Line.through(FEW, flush_few, MANY, flush_many),
        sync=asking,
        sync_per_like=per_like,
        sync_per_edit=per_edit,
        sync_per_sign_in=per_sign_in,
        sync_per_flush=views,
        look=look,
        start_by_fill=start_by_fill,
        start_by_snapshot=start,
        snapshot=snapshot,
        objects_of_snapshot=snapshot_objects,
        database_gb=used.meter.database_bytes / 1e9,
        busy=busy,
    )


def measure_call(used: Host, name: str, times: int) -> Cost:
    used.tell(name)
    return used.each(name, times)


def measure_flush(used: Host, follower: Host, designs: int) -> tuple[Cost, Cost]:
    """Return what it costs to write the views of so many designs, and another host to learn of them."""
    used.tell("flush")  # the details that were read before
    used.tell("see", 1, designs)
    used.tell("flush")  # the first of the day makes the rows of the day
    follower.tell("sync")
    used.tell("see", 1, designs)
    return used.tell("flush"), follower.tell("sync")


def measure_busy(data: Path, near: dict[str, str], tokens: list[str], size: int) -> Busy:
    """Read from a server in production, of as many processes as it starts by itself."""
    data.mkdir()
    with Meter(near["CLOUDFLARE_D1_BASE_URL"]) as meter:
        env = systems.environment(data, **{**near, "CLOUDFLARE_D1_BASE_URL": meter.url})
        with systems.gallery(data, free_port(), env) as system:
            chance, readers = random.Random(1), itertools.cycle(tokens)
            read_details(
                system.url, chance, readers, size, 10.0
            )  # until every process has begun to write views
            before = len(meter.log)
            read_details(system.url, chance, readers, size, BUSY_SECONDS)
            log = meter.log[before:]
    writes = [moment for moment, cost in log if cost.written]
    syncs = [moment for moment, cost in log if not cost.written]
    return Busy(flush_seconds=interval(writes), sync_seconds=interval(syncs))


def read_details(url: str, chance: random.Random, readers: Iterator[str], size: int, seconds: float) -> None:
    """Each over a new connection, so that they spread over the server's processes."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        headers = {"Authorization": f"Bearer {next(readers)}", "Connection": "close"}
        requests.get(f"{url}/api/designs/{chance.randint(1, size)}", headers=headers, timeout=30)
        time.sleep(BETWEEN_READS)


def interval(moments: list[float]) -> float:
    """Return the mean seconds between moments. Raises RuntimeError if there are too few to tell."""
    if len(moments) < 3:
        raise RuntimeError(f"A busy server asked D1 {len(moments)} times in {BUSY_SECONDS:.0f} s.")
    return (moments[-1] - moments[0]) / (len(moments) - 1)


@contextlib.contextmanager
def host(data: Path, near: dict[str, str]) -> Iterator[Host]:
    """Run a host with an empty folder until the block ends."""
    with Meter(near["CLOUDFLARE_D1_BASE_URL"]) as meter:
        given = {**near, "CLOUDFLARE_D1_BASE_URL": meter.url, **QUIET}
        given["CLOUDFLARE_R2_PRIVATE_BUCKET_NAME"] = PRIVATE_BUCKET
        command = [sys.executable, "-m", "benchmarks.bill_host"]
        process = subprocess.Popen(
            command,
            cwd=systems.ROOT,
            env=systems.environment(data, **given),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield Host(process, meter)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(systems.END_SECONDS)


def count_objects(store: BaseClient, bucket: str) -> int:
    pages = store.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return sum(len(page.get("Contents", [])) for page in pages)


def say(text: str) -> None:
    sys.stderr.write(f"{text} …\n")
