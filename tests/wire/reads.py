"""A client of lists in its own process: python -m tests.wire.reads ADDRESS SECONDS CONNECTIONS RATE, token on stdin.

It sends RATE requests a second, whatever comes back, or with 0 as many as its connections take. It prints, as JSON, the
seconds from when each was due, and what failed.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field

import uvloop

from benchmarks.load import Connection, request
from devtools.serving import ROOT
from tests.wire.host import LIST, Host


@dataclass
class Reads:
    """What was read: seconds of each answer, faults, and the requests per second."""

    seconds: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    rate: float = 0.0

    def percentile(self, percent: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else float("inf")


class Reading:
    """A run of reads in another process."""

    def __init__(self, host: Host, seconds: float, connections: int, rate: float = 0) -> None:
        numbers = map(str, (seconds, connections, rate))
        command = [sys.executable, "-m", "tests.wire.reads", host.server.address, *numbers]
        # Not a pipe: the result is longer than one holds, and nobody reads while the process `runs`.
        self.printed = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=self.printed, text=True
        )
        assert self.process.stdin is not None
        self.process.stdin.write(host.admin.token["access_token"])
        self.process.stdin.close()

    @property
    def runs(self) -> bool:
        return self.process.poll() is None

    def result(self) -> Reads:
        self.process.wait()
        with self.printed:
            self.printed.seek(0)
            return Reads(**json.load(self.printed))


async def read(url: str, token: str, seconds: float, connections: int, rate: float) -> Reads:
    """Read lists for so many seconds."""
    asked, found = request("127.0.0.1", "GET", LIST, token=token), Reads()
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(connections):
        free.put_nowait(await Connection.to(url))

    async def one(due: float) -> None:
        connection = await free.get()
        try:
            answer = await asyncio.wait_for(connection.ask(asked), 60)
            found.seconds.append(time.perf_counter() - due)
            if not answer.startswith(b"HTTP/1.1 200"):
                found.faults.append(answer[:100].decode("latin-1"))
            if b"\r\nConnection: close\r\n" in answer:
                connection.transport.close()
                connection = await Connection.to(url)
        except (OSError, TimeoutError) as error:
            found.faults.append(repr(error))
            connection.transport.close()
            connection = await Connection.to(url)
        free.put_nowait(connection)

    begun = time.perf_counter()

    async def be_busy() -> None:
        while (now := time.perf_counter()) < begun + seconds:
            await one(now)

    async with asyncio.TaskGroup() as group:
        if rate:
            for number in range(int(rate * seconds)):
                due = begun + number / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                group.create_task(one(due))
        else:
            for _ in range(connections):
                group.create_task(be_busy())
    found.rate = len(found.seconds) / (time.perf_counter() - begun)
    return found


def main() -> None:
    url, seconds, connections, rate = sys.argv[1:]
    found = uvloop.run(read(url, sys.stdin.read(), float(seconds), int(connections), float(rate)))
    json.dump(vars(found), sys.stdout)


if __name__ == "__main__":
    main()
