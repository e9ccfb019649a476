"""What a host's memory allows, as its cgroups tell it."""

import pytest

from gallery_project import memory

MB = 1024**2


@pytest.mark.parametrize(
    ("own", "files", "limits"),
    [
        ("0::/\n", {"memory.max": "536870912\n"}, [512 * MB]),
        ("0::/\n", {"memory.max": "max\n"}, []),
        ("0::/a/b\n", {"a/b/memory.max": "max", "a/memory.max": "1000"}, [1000]),
        ("0::/gone/from/here\n", {"memory.max": "1000"}, [1000]),
        ("5:cpu,memory:/a\n0::/\n", {"memory/a/memory.limit_in_bytes": "2000"}, [2000]),
        ("3:cpu:/\n", {"memory.max": "1000"}, []),
        ("", {}, []),
    ],
)
def test_the_limits_of_the_cgroup_and_those_above_count(tmp_path, own, files, limits):
    root, own_file = tmp_path / "cgroup", tmp_path / "own"
    own_file.write_text(own)
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    assert list(memory.cgroup_limits(own_file, root)) == limits


VERSION_2 = {"memory.max": "1000", "memory.current": "700", "memory.stat": "anon 300\ninactive_file 100\n"}
VERSION_1 = {
    "memory/memory.limit_in_bytes": "1000",
    "memory/memory.usage_in_bytes": "900",
    "memory/memory.stat": "inactive_file 1\ntotal_inactive_file 250\n",
}


@pytest.mark.parametrize(
    ("own", "files", "machine", "usage"),
    [
        ("0::/\n", VERSION_2, (100, 90), (600, 1000)),
        ("5:memory:/\n", VERSION_1, (100, 90), (650, 1000)),
        ("0::/\n", {"memory.max": "1000", "memory.current": "700"}, (100, 90), (700, 1000)),
        ("0::/\n", VERSION_2, (2, 0), (2048, 2048)),
        ("0::/\n", {"memory.max": "max"}, (8, 2), (6 * 1024, 8 * 1024)),
        ("0::/\n", {"memory.max": "1000"}, (8, 2), (6 * 1024, 8 * 1024)),
    ],
)
def test_memory_in_use_is_that_of_where_the_least_is_left(tmp_path, own, files, machine, usage):
    root, own_file, meminfo = tmp_path / "cgroup", tmp_path / "own", tmp_path / "meminfo"
    own_file.write_text(own)
    meminfo.write_text(
        "MemTotal: {} kB\nMemFree: 1 kB\nMemAvailable: {} kB\nHugePages_Total: 0\n".format(*machine)
    )
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    assert memory.usage(own_file, root, meminfo) == usage


def test_where_there_are_no_cgroups_there_is_no_limit_of_them(tmp_path):
    assert list(memory.cgroup_limits(tmp_path / "own", tmp_path)) == []
    assert memory.limit() > 0
    assert memory.usage(tmp_path / "own", tmp_path, tmp_path / "meminfo") is None


def test_a_small_host_takes_pictures_of_20_megapixels_and_others_of_50():
    assert memory.for_pictures(512 * MB) == (20, 160)
    assert memory.for_pictures(512 * MB + 1)[0] == 50
