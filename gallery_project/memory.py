"""How much memory this host may use, and what of it pictures may take. Runs while settings load."""

import os
from collections.abc import Iterator
from pathlib import Path

MEGABYTE = 1024**2
SMALL_HOST = 512 * MEGABYTE
# Megapixels that a picture may have, and megabytes for decoding. A small host's suffice for 20 megapixels of all kinds
# but a few (docs/images.md), others' for 50 of the costliest JPEG.
OF_A_SMALL_HOST = (20, 160)
OF_OTHERS = (50, 600)
# Of a server with 100,000 designs, as measured (docs/deployment.md#workers-and-memory): what its processes share, what
# each worker adds, and what a command beside it takes, such as the fill of the copy.
OF_THE_SERVER, OF_A_WORKER, OF_A_COMMAND = 120 * MEGABYTE, 50 * MEGABYTE, 100 * MEGABYTE
CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")
MEMINFO = Path("/proc/meminfo")


def limit() -> int:
    """Return the bytes that this host may use: the least of its cgroups' limits and the physical memory."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min([physical, *cgroup_limits()])


def usage(own: Path = OWN_CGROUPS, root: Path = CGROUPS, meminfo: Path = MEMINFO) -> tuple[int, int] | None:
    """Return the bytes in use and the limit, where the least is left: of the cgroups, or the machine; None elsewhere.

    Files that the kernel can drop at once are not in use.
    """
    found = list(cgroup_usages(own, root))
    if meminfo.exists():
        lines = [line.split() for line in meminfo.read_text().splitlines()]
        kilobytes = {name: int(number) for name, number, *_ in lines}
        total = kilobytes["MemTotal:"]
        found.append(((total - kilobytes["MemAvailable:"]) * 1024, total * 1024))
    return min(found, key=lambda pair: pair[1] - pair[0], default=None)


def cgroup_usages(own: Path, root: Path) -> Iterator[tuple[int, int]]:
    """Yield the bytes in use and the limit of each cgroup that has one."""
    for folder, limit in limited_cgroups(own, root):
        used, dropped = folder / "memory.current", "inactive_file"
        if not used.exists():  # version 1
            used, dropped = folder / "memory.usage_in_bytes", "total_inactive_file"
        if used.exists():
            stat = folder / "memory.stat"
            lines = stat.read_text().splitlines() if stat.exists() else []
            counted = dict(line.split() for line in lines)
            yield int(used.read_text()) - int(counted.get(dropped, 0)), limit


def cgroup_limits(own: Path = OWN_CGROUPS, root: Path = CGROUPS) -> Iterator[int]:
    """Yield the limits of this process's cgroups and those above, of version 1 or 2 (cgroups(7)); none elsewhere."""
    return (limit for _, limit in limited_cgroups(own, root))


def limited_cgroups(own: Path, root: Path) -> Iterator[tuple[Path, int]]:
    """Yield the same with the folder of each."""
    lines = own.read_text().splitlines() if own.exists() else []
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if number == "0":
            top, name = root, "memory.max"
        elif "memory" in controllers.split(","):
            top, name = root / "memory", "memory.limit_in_bytes"
        else:
            continue
        # In a container the path may be the host's: its own limit is then that of the top.
        folder = top / path.lstrip("/")
        for each in (folder, *folder.parents):
            file = each / name
            if each.is_relative_to(top) and file.exists():
                value = file.read_text().strip()
                if value.isdigit():  # else "max"
                    yield each, int(value)


def for_pictures(bytes_of_host: int) -> tuple[int, int]:
    """Return the megapixels that a picture may have, and the megabytes for decoding, by default."""
    return OF_A_SMALL_HOST if bytes_of_host <= SMALL_HOST else OF_OTHERS


def needed(workers: int, decoding: int) -> int:
    """Return the bytes that a server with so many workers may need; `decoding` is what all decoders may hold."""
    return OF_THE_SERVER + OF_A_COMMAND + decoding + workers * OF_A_WORKER


def most_workers(decoding: int, bytes_of_host: int) -> int:
    """Return the most workers that fit the memory of a host, at least one."""
    return max(1, (bytes_of_host - needed(0, decoding)) // OF_A_WORKER)
