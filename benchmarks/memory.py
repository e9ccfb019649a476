"""`make bench-memory` measures the memory of two workers at rest, while pictures are attacked with, and after.

The server has the settings of a host with 512 MB, on SQLite with SIZE= designs (10,000). The figures are sums of the
processes' proportional shares (PSS), in which a page that they share counts once.
"""

import collections
import io
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import requests
from PIL import Image

from benchmarks import systems
from devtools.ports import free_port

AT_ONCE = 16
READS = 300
MOST_AT_REST, MOST = 250, 430  # MB
MEGABYTE = 1_000_000


def main() -> None:
    size = int(os.environ.get("SIZE") or 10_000)
    with tempfile.TemporaryDirectory(prefix="gallery-memory-") as folder:
        data, port = Path(folder), free_port()
        env = systems.environment(data, **systems.SMALL_HOST)
        tokens = systems.fill(size, AT_ONCE, env)
        with systems.gallery(data, port, env) as system:
            read(system, tokens)
            rest = shown("at rest", [share(system)])
            attacks = {
                "16 avatars of 2820 × 2820, RGBA": avatar(2820, 2820),
                "16 of 20 megapixels, RGBA, to turn": avatar(5000, 4000, orientation=6),
                "16 of 20 megapixels, RGBA, narrow": avatar(1281, 15600),
            }
            most = [shown(name, attacked(system, tokens, file)) for name, file in attacks.items()]
            read(system, tokens)
            shown("after it", [share(system)])
    if rest > MOST_AT_REST or max(most) > MOST:
        sys.exit(f"The aim is {MOST_AT_REST} MB at rest and {MOST} MB in all.")


def shown(name: str, shares: list[float]) -> float:
    print(f"{name:36} {max(shares):6.0f} MB", flush=True)
    return max(shares)


def read(system: systems.System, tokens: list[str]) -> None:
    """Read pages on new connections, so that both workers fill their caches."""
    for number in range(READS):
        headers = {"Authorization": f"Bearer {tokens[number % AT_ONCE]}", "Connection": "close"}
        for path in (f"/api/designs?page={1 + number}", "/api/designs/facets", "/api/designs?search=silk"):
            requests.get(f"{system.url}{path}", headers=headers, timeout=30).raise_for_status()


def attacked(system: systems.System, tokens: list[str], file: bytes) -> list[float]:
    """Send the file by everybody at once; return what the processes hold meanwhile, in MB."""
    answers: list[int] = []

    def send(token: str) -> None:
        answer = requests.post(
            f"{system.url}/api/upload/image",
            files={"file": ("a.png", file)},
            data={"category": "avatars"},
            headers={"Authorization": f"Bearer {token}"},
            timeout=300,
        )
        answers.append(answer.status_code)

    senders = [threading.Thread(target=send, args=(token,)) for token in tokens]
    for sender in senders:
        sender.start()
    shares, worst = [], 0.0
    while any(sender.is_alive() for sender in senders):
        shares.append(share(system))
        start = time.monotonic()
        requests.get(f"{system.url}/health/live", timeout=60)
        worst = max(worst, time.monotonic() - start)
        time.sleep(0.02)
    print(f"  answers {dict(collections.Counter(answers))}, slowest read {worst:.1f} s", flush=True)
    return shares


def avatar(width: int, height: int, orientation: int = 1) -> bytes:
    """Return a small PNG of many transparent pixels."""
    tags = Image.Exif()
    tags[0x0112] = orientation
    out = io.BytesIO()
    Image.new("RGBA", (width, height), (150, 30, 60, 128)).save(out, "PNG", exif=tags)
    return out.getvalue()


def share(system: systems.System) -> float:
    """Return the proportional share of a server's processes, in MB, by Linux's /proc (proc(5))."""
    processes = (system.pid, *systems.descendants_of(system.pid))
    return sum(map(systems.share_of, processes)) / MEGABYTE


if __name__ == "__main__":
    main()
