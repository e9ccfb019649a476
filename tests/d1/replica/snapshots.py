"""What the tests of snapshots have in common: to take one, to find it, and to fill a host from it."""

import pytest

from d1backend.replica import snapshot
from d1backend.replica.snapshot import take_snapshot
from d1backend.replica.source import Source
from tests.d1.replica.test_fill import fill_now


def take(host, **options):
    source = Source(host.host.options, patient=True)
    try:
        return take_snapshot(host.host.directory, source, gently=False, **options)
    finally:
        source.close()


def newest(d1):
    return d1("SELECT name FROM _d1_snapshots")[0][0]


def folder_of(bucket, d1, name=None):
    return bucket / "snapshots" / d1.database / (name or newest(d1))


def restored_rows(host, caplog):
    """Fill a host; how many rows came from D1's pages, and the lines about snapshots."""
    from_d1 = []
    original = Source.fetch_page

    def fetch_page(self, *arguments):
        rows, size = original(self, *arguments)
        from_d1.append(len(rows))
        return rows, size

    caplog.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Source, "fetch_page", fetch_page)
        fill_now(host)
    return sum(from_d1), [r.getMessage() for r in caplog.records if "napshot" in r.getMessage()]


def newest_of(host):
    source = Source(host.host.options, patient=True)
    try:
        return snapshot.newest_snapshot(host.host.directory, source)
    finally:
        source.close()


def damage(bucket, d1, name, change):
    path = folder_of(bucket, d1) / name
    path.write_bytes(change(path.read_bytes()))


def flipped(data):
    return data[:60] + bytes([data[60] ^ 1]) + data[61:]
