"""What the worker processes of a server hold open, by Linux's /proc."""

import contextlib
import os
from urllib.parse import urlsplit

OPEN = {"01", "08"}  # ESTABLISHED, and CLOSE_WAIT: the server has not closed its end


def workers_of(server) -> list[int]:
    with open(f"/proc/{server.pid}/task/{server.pid}/children") as file:
        return [int(child) for child in file.read().split()]


def open_files(pid: int) -> list[str]:
    found = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            found.append(os.readlink(f"/proc/{pid}/fd/{name}"))
    return found


def spooled(server) -> list[str]:
    """Return the deleted files in the data folder that workers hold open."""
    files = [path for pid in workers_of(server) for path in open_files(pid)]
    return [path for path in files if path.startswith(str(server.data)) and path.endswith("(deleted)")]


def connections_held(server) -> list[int]:
    """Return the number of connections of each worker, the smallest first."""
    port = f":{urlsplit(server.address).port:04X}"
    with open("/proc/net/tcp") as file:
        lines = [line.split() for line in file.readlines()[1:]]
    ours = {f"socket:[{line[9]}]" for line in lines if line[1].endswith(port) and line[3] in OPEN}
    return sorted(len(ours.intersection(open_files(pid))) for pid in workers_of(server))


def memory_of(pid: int) -> int:
    """Return the bytes of a process that no other has."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        lines = dict(line.split(":", 1) for line in file.readlines()[1:])
    return sum(int(lines[name].split()[0]) for name in ("Private_Clean", "Private_Dirty")) * 1024
