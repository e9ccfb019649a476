"""`manage.py d1_replica`: install, fill, status, drop."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from d1backend.management.commands.d1_replica import Command
from d1backend.replica import fill, status
from devtools import fault_plan as plans
from tests.d1.replica.models import Design
from tests.d1.replica.one_host import compare
from tests.d1.replica.test_fill import MANY


def run(host, *arguments):
    out = StringIO()
    call_command(Command(), *arguments, "--database", host.replica, stdout=out)
    return out.getvalue()


def logged(d1):
    return d1("SELECT count(*) FROM sqlite_master WHERE name GLOB '_d1_log_*' OR name GLOB '_d1_[cr]*'")[0][0]


def test_install_says_what_it_logs_and_does_nothing_the_second_time(d1, schema, new_host):
    host = new_host("a")
    assert logged(d1) == 0
    assert run(host, "install") == "Logging changes of designs, people, tags.\n"
    d1("INSERT INTO people (name, password_hash) VALUES ('a', 'b')")
    assert d1("SELECT tbl, key FROM _d1_changes WHERE tbl <> ''") == [["people", 1]]
    assert run(host, "install") == "Nothing to do.\n"


def test_install_anew_makes_every_host_refill_its_copy(d1, host, other):
    before = host.host.directory.open_current().path
    assert run(host, "install", "--anew") == "Logging changes of designs, people, tags.\n"
    for one in (host, other):
        one.sync()
    assert host.host.directory.open_current().path != before
    compare(d1, other)


def test_fill_installs_the_log_and_prints_its_progress(d1, schema, new_host, monkeypatch):
    monkeypatch.setattr(fill, "_FIRST_PAGE", 1000)
    host = new_host("a")
    d1(MANY.format(1500, ""))
    said = run(host, "fill").splitlines()
    assert said[:2] == ["designs: 1,000 of 1,500", "designs: 1,500 of 1,500"]
    assert said[-1] == "The replica is up to date."
    assert Design.objects.using(host.replica).count() == 1500
    d1("DELETE FROM designs WHERE id > 9")
    assert run(host, "fill").splitlines() == ["The replica is up to date."]
    compare(d1, host)


@pytest.mark.parametrize("nth", [1, 5, 7])
def test_fill_waits_for_the_end_of_a_rate_limit_and_resumes(d1, installed, new_host, proxy, monkeypatch, nth):
    monkeypatch.setattr(fill, "_FIRST_PAGE", 100)
    d1(MANY.format(1500, ""))
    proxy.plan = []
    run(new_host("other"), "fill")
    plainly = proxy.count
    host = new_host("a", patience={"retry_budget": 0.1})
    proxy.plan = lambda number, request: plans.rate_limited("1") if number == nth else None
    said = run(host, "fill").splitlines()
    assert "D1 takes no more requests for now; going on in 1 s." in said
    assert said[-1] == "The replica is up to date."
    assert proxy.count == plainly + 1
    compare(d1, host)


def test_status_is_json_and_sends_no_request(host, proxy):
    proxy.plan = []
    found = json.loads(run(host, "status"))
    assert proxy.count == 0
    assert found == {**json.loads(json.dumps(status(host.replica))), "age": found["age"]}
    assert found["usable"]
    assert 0 <= found["age"] < 600


def test_drop_removes_the_log_and_its_triggers(d1, host):
    assert logged(d1) > 0
    assert run(host, "drop") == "D1 logs no more changes for replicas.\n"
    assert logged(d1) == 0
    d1("INSERT INTO people (name, password_hash) VALUES ('a', 'b')")
    assert run(host, "drop")


def test_errors_are_printed_without_a_traceback(d1, schema, new_host, proxy):
    host = new_host("a")
    with pytest.raises(CommandError, match="Name one of the replicas"):
        call_command(Command(), "status", "--database", "nothing")
    d1("DROP TABLE tags")
    with pytest.raises(CommandError, match=r"no table tags: run `manage\.py migrate`"):
        run(host, "install")
    proxy.go_down()
    for action in ("install", "fill", "drop"):
        with pytest.raises(CommandError, match="cannot be reached"):
            run(host, action)
