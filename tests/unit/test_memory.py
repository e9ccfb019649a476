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


def test_where_there_are_no_cgroups_there_is_no_limit_of_them(tmp_path):
    assert list(memory.cgroup_limits(tmp_path / "own", tmp_path)) == []
    assert memory.limit() > 0


def test_a_small_host_takes_pictures_of_20_megapixels_and_others_of_50():
    assert memory.for_pictures(512 * MB) == (20, 160)
    assert memory.for_pictures(512 * MB + 1)[0] == 50
