"""An object read from the copy is saved whole only if its row has not changed on D1 since."""

import pickle

import pytest
from django.db import NotSupportedError, connections, transaction
from django.db.models import F

from d1backend import SerializationFailure, retry_on_conflict
from d1backend.replica import alias_for
from d1backend.test import assert_round_trips
from tests.d1.replica.models import Design, Person, Tag


@pytest.fixture
def design(d1, host):
    """The key of a design in the copy, with 5 views."""
    made = Design.objects.create(title="a", view_count=5)
    assert Design.objects.get()._state.db == host.replica
    return made.pk


def views(d1):
    return d1("SELECT view_count FROM designs ORDER BY id")


def test_an_object_from_the_copy_does_not_overwrite_a_newer_row(d1, host, design):
    read = Design.objects.get()
    d1("UPDATE designs SET view_count = 77")
    read.view_count += 1
    for _ in range(2):
        with pytest.raises(SerializationFailure, match="designs"):
            read.save()
    assert views(d1) == [[77]]


def test_running_it_again_reads_the_newer_row(d1, host, design):
    others = iter(["UPDATE designs SET view_count = 77", "UPDATE designs SET title = 'theirs'"])

    @retry_on_conflict
    def add_view():
        read = Design.objects.get()
        if statement := next(others, None):
            d1(statement)
        read.view_count += 1
        read.save()

    add_view()
    assert d1("SELECT title, view_count FROM designs") == [["theirs", 78]]


def test_an_unchanged_row_is_saved_in_one_round_trip_as_often_as_wanted(d1, host, design):
    Design.objects.create(title="b")
    read = Design.objects.get(pk=design)
    d1("UPDATE designs SET view_count = 9 WHERE title = 'b'")
    for _ in range(2):
        read.view_count += 1
        with assert_round_trips(1, using=host.source):
            read.save()
    assert views(d1) == [[7], [9]]
    assert Design.objects.get(pk=design).view_count == 7


def test_named_fields_expressions_and_querysets_are_written_as_ever(d1, host, design):
    read = Design.objects.get()
    d1("UPDATE designs SET view_count = 77")
    read.title = "mine"
    read.save(update_fields=["title"])
    Design.objects.filter(pk=design).update(view_count=F("view_count") + 1)
    assert d1("SELECT title, view_count FROM designs") == [["mine", 78]]
    read = Design.objects.get()
    read.view_count = F("view_count") + 1
    read.save()
    assert views(d1) == [[79]]


def test_a_save_that_names_the_database_overwrites(d1, host, design):
    read = Design.objects.get()
    d1("UPDATE designs SET view_count = 77")
    read.save(using=host.source)
    assert views(d1) == [[5]]


def test_an_object_read_before_a_transaction_is_compared_at_its_commit(d1, host, design):
    read = Design.objects.get()
    with transaction.atomic(host.source):
        Design.objects.filter(pk=design).update(title="b")
        read.view_count += 1
        read.save()
        read.view_count += 1
        read.save()
    assert views(d1) == [[7]]
    read = Design.objects.get()
    d1("UPDATE designs SET view_count = 77")
    for _ in range(2):
        with pytest.raises(SerializationFailure), transaction.atomic(host.source):
            read.save()
    assert views(d1) == [[77]]


def test_a_transaction_that_is_rolled_back_does_not_end_the_comparison(d1, host, design):
    read = Design.objects.get()
    with pytest.raises(ZeroDivisionError), transaction.atomic(host.source):
        read.save()
        1 / 0  # noqa: B018
    d1("UPDATE designs SET view_count = 77")
    with pytest.raises(SerializationFailure):
        read.save()
    assert views(d1) == [[77]]


def test_a_field_read_later_does_not_make_the_others_newer(d1, host, design):
    for load in (lambda read: read.body, lambda read: read.refresh_from_db(fields=["body"])):
        read = Design.objects.defer("body").get()
        d1("UPDATE designs SET view_count = 77")
        host.sync()
        load(read)
        with pytest.raises(SerializationFailure):
            read.save()
        with transaction.atomic(host.source):
            read.refresh_from_db(fields=["body"])
        with pytest.raises(SerializationFailure):
            read.save()
    assert views(d1) == [[77]]


def test_an_object_read_again_is_as_new_as_that(d1, host, design):
    read = Design.objects.get()
    d1("UPDATE designs SET view_count = 77")
    host.sync()
    read.refresh_from_db()
    read.view_count += 1
    read.save()
    assert views(d1) == [[78]]


def test_a_row_read_while_another_cursor_is_open_is_as_old_as_that_cursor(d1, host, design):
    for i in range(300):
        Tag.objects.create(design_id=design, label=f"t{i}")
    rows = iter(Tag.objects.iterator(chunk_size=1))
    next(rows)
    d1("UPDATE designs SET view_count = 7777")
    host.sync()
    read = Design.objects.get()
    read.title = "mine"
    if read.view_count == 7777:
        read.save()
    else:
        with pytest.raises(SerializationFailure):
            read.save()
    del rows
    assert views(d1) == [[7777]]


def test_related_prefetched_raw_and_pickled_objects_are_compared_too(d1, host, design):
    Tag.objects.create(design_id=design, label="x")
    pickled = Design.objects.get()
    pickled._state = pickle.loads(pickle.dumps(pickled._state))
    reads = [
        Tag.objects.select_related("design").get().design,
        Tag.objects.prefetch_related("design").get().design,
        Tag.objects.get().design,
        Design.objects.raw("SELECT * FROM designs")[0],
        pickled,
        Design.objects.using(alias_for(host.replica, "designs")).get(),
    ]
    d1("UPDATE designs SET view_count = 77")
    for read in reads:
        with pytest.raises(SerializationFailure):
            read.save()
    assert views(d1) == [[77]]


def test_a_table_that_is_not_routed_is_compared_when_it_is_read_from_the_copy(d1, host):
    Person.objects.create(name="a", password="secret")
    read = Person.objects.using(alias_for(host.replica, "people")).defer("password").get()
    d1("UPDATE people SET password_hash = 'new'")
    read.name = "b"
    with pytest.raises(SerializationFailure):
        read.save()
    assert d1("SELECT name, password_hash FROM people") == [["a", "new"]]


def test_a_row_that_was_deleted_is_not_created_again(d1, host, design):
    read = Design.objects.get()
    d1("DELETE FROM designs")
    with pytest.raises(SerializationFailure):
        read.save()
    assert views(d1) == []


def test_an_object_of_which_nobody_knows_when_it_was_read_is_not_saved_whole(d1, host, design):
    read = Design.objects.using(host.replica).get()
    with pytest.raises(NotSupportedError, match="alias_for"):
        read.save()
    read.save(update_fields=["title"])


def test_a_log_that_begins_later_or_was_set_back_is_a_conflict(d1, host, design):
    for statement in (
        "UPDATE _d1_replica SET epoch = 'another'",
        "UPDATE _d1_replica SET floor = floor + 1000",
        "DELETE FROM _d1_changes WHERE seq = (SELECT max(seq) FROM _d1_changes)",
    ):
        read = Design.objects.get()
        before = d1("SELECT epoch, floor FROM _d1_replica")[0]
        d1(statement)
        with pytest.raises(SerializationFailure):
            read.save()
        d1(f"UPDATE _d1_replica SET epoch = '{before[0]}', floor = {before[1]}")
    assert connections[host.source].get_autocommit()
