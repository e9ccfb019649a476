"""A migration notes the bookmark of D1 before it and the command that undoes it, and goes on where there is none."""

import logging
from io import StringIO

from django.db import connections

from d1backend.time_travel import note_bookmark
from devtools import fault_plan
from tests.d1.replica.test_freshness import NEW
from tests.d1.replica.test_time_travel_command import go_back

PLAN = [("a migration", False)]


def noted(host, caplog, plan=PLAN, **options):
    out = StringIO()
    caplog.clear()
    with caplog.at_level(logging.INFO, "d1backend.time_travel"):
        note_bookmark(host.source, plan=plan, stdout=out, **options)
    return out.getvalue(), [record.getMessage() for record in caplog.records]


def test_a_migration_notes_the_bookmark_and_the_command_that_undoes_it(d1, travel, host, caplog):
    said, logged = noted(host, caplog)
    (bookmark,) = travel.bookmarks
    assert said == (
        f"D1 before this migration: {bookmark}. To undo it: "
        f"python manage.py d1_time_travel --database {host.source} --at {bookmark} --restore\n"
    )
    assert logged == [said.strip()]
    assert noted(host, caplog, verbosity=0) != ("", [])
    d1("ALTER TABLE notes ADD COLUMN colour TEXT", NEW.format("lost"))
    go_back(host, bookmark)
    assert d1("SELECT count(*) FROM pragma_table_info('notes') WHERE name = 'colour'") == [[0]]


def test_nothing_to_migrate_asks_nothing(travel, host, proxy, caplog):
    proxy.plan = travel
    assert noted(host, caplog, plan=[]) == ("", [])
    assert proxy.count == 0


def test_a_migration_goes_on_where_there_is_no_time_travel(host, proxy, caplog):
    said, logged = noted(host, caplog)
    assert said.startswith("No bookmark was noted before this migration: This server has no Time Travel")
    assert logged == [said.strip()]
    assert said.count("\n") == 1
    proxy.plan = fault_plan.always(fault_plan.BAD_GATEWAY_BEFORE)
    assert noted(host, caplog)[0].startswith("No bookmark was noted before this migration: D1 answered 502")


def test_a_test_database_is_left_alone(travel, host, proxy, caplog, monkeypatch):
    monkeypatch.setattr("d1backend.time_travel.is_made_by_tests", lambda settings, name: True)
    proxy.plan = travel
    assert noted(host, caplog) == ("", [])
    assert proxy.count == 0


def test_a_database_elsewhere_is_left_alone(host, caplog):
    out = StringIO()
    note_bookmark(host.replica, plan=PLAN, stdout=out)
    assert out.getvalue() == ""
    assert connections[host.replica].settings_dict["ENGINE"] == "d1backend.replica"
