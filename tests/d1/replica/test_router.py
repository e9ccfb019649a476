"""What is read where: the router, alias_for() and on_primary()."""

import threading

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, router, transaction

from d1backend.replica import alias_for, on_primary
from d1backend.replica.source import Source
from d1backend.test import assert_round_trips
from tests.d1.replica.models import Design, Note, Person, Tag


def test_copied_tables_are_read_from_the_copy_and_written_at_the_source(host):
    for model in (Design, Tag):
        assert router.db_for_read(model) == host.replica
        assert router.db_for_write(model) == host.source


def test_tables_that_are_not_copied_are_left_to_other_routers(host):
    assert router.db_for_read(Note) == "default"
    assert router.db_for_write(Note) == "default"


def test_uncopied_relations_of_copied_objects_are_read_at_the_source(host):
    design = Design(pk=1)
    design._state.db = host.replica
    assert router.db_for_read(Note, instance=design) == host.source
    assert router.db_for_write(Note, instance=design) == host.source
    assert router.db_for_read(Tag, instance=design) == host.replica


def test_unrouted_tables_are_read_from_the_copy_on_request(host):
    assert router.db_for_read(Person) == host.source
    assert alias_for(host.replica, "people") == host.replica
    assert alias_for(host.replica, "people", "designs", "designs_search") == host.replica
    assert alias_for(host.replica, "people", "notes") == host.source


def test_transactions_read_at_the_source(host):
    with transaction.atomic(host.source):
        assert router.db_for_read(Design) == host.source
    connections[host.source].set_autocommit(False)
    try:
        assert router.db_for_read(Design) == host.source
    finally:
        connections[host.source].set_autocommit(True)
    assert router.db_for_read(Design) == host.replica


def test_a_block_may_read_at_the_source_and_its_thread_alone(host):
    seen = []
    with on_primary():
        with on_primary():
            assert router.db_for_read(Design) == host.source
        assert router.db_for_read(Design) == host.source
        thread = threading.Thread(target=lambda: seen.append(router.db_for_read(Design)))
        thread.start()
        thread.join()
    assert router.db_for_read(Design) == host.replica
    assert seen == [host.replica]


def test_without_a_copy_everything_is_read_at_the_source(schema, new_host):
    host = new_host("a")
    assert router.db_for_read(Design) == host.source
    assert alias_for(host.replica, "people") == host.source


def test_objects_of_source_and_copy_may_be_related_and_others_not(host, other):
    def at(alias, model):
        made = model(pk=1)
        made._state.db = alias
        return made

    assert router.allow_relation(at(host.replica, Design), at(host.source, Tag))
    assert router.allow_relation(at(host.replica, Design), at(host.replica, Tag))
    assert not router.allow_relation(at(host.replica, Design), at(other.source, Tag))


def test_nothing_is_migrated_into_the_copy(host):
    assert not router.allow_migrate(host.replica, "d1replica")
    assert router.allow_migrate(host.source, "d1replica")


def test_related_rows_are_fetched_from_the_copy_without_a_round_trip(d1, host):
    design = Design.objects.using(host.source).create(title="a")
    Tag.objects.using(host.source).create(design=design, label="x")
    with assert_round_trips(0, using=host.source):
        assert Tag.objects.select_related("design").get().design.title == "a"
        assert Tag.objects.prefetch_related("design").get().design.title == "a"
        assert Tag.objects.filter(design__title="a").count() == 1
        assert Design.objects.get().tags.get().label == "x"


def test_locked_rows_are_read_at_the_source(host):
    Design.objects.using(host.source).create(title="a")
    with transaction.atomic(host.source):
        design = Design.objects.select_for_update().get()
        assert design._state.db == host.source
        design.title = "b"
        design.save()
    assert Design.objects.get().title == "b"


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"tables": []}, "tables"),
        ({"hide": {"notes": ["text"]}}, "notes"),
        ({"counters": {"notes": ["text"]}}, "notes"),
        ({"unrouted": ["notes"]}, "notes"),
        ({"unrouted": []}, "people"),
        ({"max_aeg": 2}, "max_aeg"),
        ({"max_age": -1}, "max_age"),
    ],
)
def test_contradictory_settings_are_rejected(new_host, options, named):
    with pytest.raises(ImproperlyConfigured, match=named):
        new_host("a", **options)


def test_a_source_that_is_not_on_d1_is_rejected(new_host):
    host = new_host("a")
    connections["default"].settings_dict["ENGINE"] = "django.db.backends.sqlite3"
    options = host.host.options.__class__(**{**vars(host.host.options), "source": host.replica})
    with pytest.raises(Exception, match="not on D1"):
        Source(options, patient=True)
