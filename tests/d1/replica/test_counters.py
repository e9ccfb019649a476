"""Counters: no trigger logs them, their writer adds one entry for many rows, and each host fetches their values."""

from contextlib import closing

import pytest
from django.db import connections, transaction

from d1backend import SerializationFailure
from d1backend.replica import changes, counters, note_counts, version
from d1backend.replica.change_log import LOG
from d1backend.replica.installation import install_log
from d1backend.replica.source import Source
from d1backend.test import assert_round_trips
from tests.d1.replica.models import Design


@pytest.fixture
def designs(host):
    """The keys of three designs in the copy of a host."""
    made = [Design(title=f"t{number}", seen=number) for number in range(3)]
    Design.objects.using(host.source).bulk_create(made)
    return [design.pk for design in made]


def count(host, *keys):
    """See these designs once more."""
    with transaction.atomic(host.source):
        with connections[host.source].cursor() as cursor:
            cursor.execute(f"UPDATE designs SET seen = seen + 10 WHERE id IN ({', '.join(map(str, keys))})")
        note_counts(host.source, "designs", keys)


def seen(host):
    return list(Design.objects.using(host.replica).order_by("id").values_list("seen", flat=True))


def rows_of_a_sync(host):
    """What a sync of a host bills."""
    with closing(Source(host.host.options, patient=True)) as source:
        host.host.sync_now(source)
        return source._api.usage


def test_the_host_that_counts_sees_it_at_once_and_the_others_with_their_next_sync(designs, host, other):
    other.sync()
    with assert_round_trips(1, using=host.source):
        count(host, *designs[:2])
    assert (seen(host), seen(other)) == ([10, 11, 2], [0, 1, 2])
    other.sync()
    assert seen(other) == [10, 11, 2]


def test_a_count_is_one_entry_of_the_log_and_no_new_version(d1, designs, host, other):
    before, entries = version(host.replica, ["designs"]), d1(f"SELECT count(*) FROM {LOG}")[0][0]
    for _ in range(3):
        count(host, *designs)
    count(host, designs[0])
    other.sync()
    assert d1(f"SELECT count(*) FROM {LOG}") == [[entries + 4]]
    assert version(host.replica, ["designs"]) == version(other.replica, ["designs"]) == before
    assert seen(other) == [40, 31, 32]


def test_what_nobody_notes_is_not_copied(d1, designs, host):
    d1("UPDATE designs SET seen = 99")
    host.sync()
    assert seen(host) == [0, 1, 2]
    d1("UPDATE designs SET seen = 100, title = 'changed' WHERE title = 't1'")
    host.sync()
    assert seen(host) == [0, 100, 2]


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63), 2**53 + 1, None])
def test_values_are_exact(d1, designs, host, other, value):
    Design.objects.using(host.source).filter(pk=designs[1]).update(seen=value)
    note_counts(host.source, "designs", designs[1:2])
    other.sync()
    assert seen(other) == [0, value, 2]


def test_many_keys_are_several_entries(d1, designs, host, other, monkeypatch):
    monkeypatch.setattr(counters, "_MOST_KEYS", 2)
    count(host, *designs)
    assert len(d1(f"SELECT seq FROM {LOG} WHERE typeof(key) = 'text'")) == 2
    other.sync()
    assert seen(other) == [10, 11, 12]


def test_counts_of_rows_that_changed_or_went_meanwhile(designs, host, other):
    count(host, *designs)
    with transaction.atomic(host.source):
        Design.objects.using(host.source).filter(pk=designs[0]).delete()
        Design.objects.using(host.source).filter(pk=designs[1]).update(title="new", seen=7)
    other.sync()
    assert seen(other) == seen(host) == [7, 12]


def test_a_sync_of_several_rounds_ends_with_the_latest_values(d1, designs, host, other, monkeypatch):
    monkeypatch.setattr(changes, "MAX_CHANGES", 2)
    count(host, *designs)
    Design.objects.using(host.source).filter(pk=designs[0]).update(title="new", seen=7)
    count(host, designs[1])
    Design.objects.using(host.source).create(title="another", seen=50)
    count(host, designs[2])
    other.sync()
    assert seen(other) == [7, 21, 22, 50]


def test_a_filled_copy_has_the_counts_and_continues_them(designs, host, new_host):
    count(host, *designs)
    third = new_host("c")
    third.sync()
    assert seen(third) == [10, 11, 12]
    count(host, designs[2])
    third.sync()
    assert seen(third) == [10, 11, 22]


def test_a_whole_save_does_not_undo_a_count(d1, designs, host):
    read = Design.objects.get(pk=designs[0])
    assert read._state.db == host.replica
    d1(
        "UPDATE designs SET seen = seen + 1",
        f"INSERT INTO {LOG} (tbl, key) VALUES ('designs', '[{designs[0]},{designs[1]}]')",
    )
    read.title = "mine"
    with pytest.raises(SerializationFailure, match="designs"):
        read.save()
    spared = Design.objects.get(pk=designs[2])
    spared.title = "mine"
    d1(f"INSERT INTO {LOG} (tbl, key) VALUES ('designs', '[{designs[0]}]')")
    spared.save()
    assert d1("SELECT title FROM designs ORDER BY id") == [["t0"], ["t1"], ["mine"]]


def test_a_count_is_cut_with_the_log(d1, designs, host, other):
    count(host, *designs)
    d1(
        "INSERT INTO _d1_changes (seq, tbl, key) SELECT max(seq) + 300000, 'no table', 1 FROM _d1_changes",
        "INSERT INTO people (name, password_hash) VALUES ('a', 'b')",
    )
    with closing(Source(host.host.options, patient=True)) as source:
        assert install_log(source)
    assert d1(f"SELECT tbl FROM {LOG}") == [["no table"], ["people"]]
    other.sync()
    assert seen(other) == [10, 11, 12]


def test_a_sync_bills_few_rows(designs, host, other):
    other.sync()
    idle = rows_of_a_sync(other)
    count(host, *designs)
    busy = rows_of_a_sync(other)
    assert (idle.round_trips, busy.round_trips, idle.rows_written, busy.rows_written) == (1, 1, 0, 0)
    assert busy.rows_read - idle.rows_read <= 4 * len(designs) + 8


def test_a_database_without_a_replica_has_nothing_to_note(schema, settings):
    note_counts("default", "designs", [1])
