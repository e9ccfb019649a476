"""What fails when, in `make soak`."""

import os
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.soak.cloud import plan_of
from benchmarks.soak.schedule import KINDS, MINUTE, OUTAGE, events, outages
from benchmarks.soak.watch import Sample, Watch, slope
from devtools.fault_plan import Request

REQUEST = Request("POST", "/", {}, b"", 1)


@pytest.mark.parametrize("minutes", [1, 4, 5, 60])
def test_both_places_fail_for_20_seconds_in_each_minute(minutes):
    windows = outages(events(minutes))
    for place in ("d1", "store"):
        mine = [one for one in windows if one.place == place]
        assert [int(one.begin // MINUTE) for one in mine] == list(range(minutes))
        assert {one.end - one.begin for one in mine} == {OUTAGE}
        assert all(one.end < (one.begin // MINUTE + 1) * MINUTE for one in mine)


def test_each_kind_has_its_turn_at_both_places():
    windows = outages(events(4))
    for place in ("d1", "store"):
        assert {one.kind for one in windows if one.place == place} == set(KINDS)


def test_places_fail_alone_and_together():
    d1, store = outages(events(1))
    assert d1.begin < store.begin < d1.end < store.end
    assert d1.kind != store.kind


@pytest.mark.parametrize("minutes", [1, 2, 5, 60])
def test_a_worker_dies_each_minute_but_the_middle_one_in_which_the_server_restarts(minutes):
    planned = events(minutes)
    assert Counter(one.what for one in planned)["kill"] == minutes - 1
    (restart,) = (one for one in planned if one.what == "restart")
    assert restart.at // MINUTE == minutes // 2
    assert not any(window.meets(restart.at, restart.at) for window in outages(planned))


def test_workers_die_while_all_is_well_and_while_both_fail():
    planned = events(60)
    failing = outages(planned)
    kills = [one.at for one in planned if one.what == "kill"]
    assert {sum(window.meets(at, at) for window in failing) for at in kills} == {0, 2}


def test_another_host_writes_while_d1_is_away_and_each_ten_minutes():
    planned = events(21)
    writes = [one.at for one in planned if one.place == "elsewhere"]
    assert [at // MINUTE for at in writes] == [0, 10, 20]
    d1 = [window for window in outages(planned) if window.place == "d1"]
    assert all(any(window.meets(at, at) for window in d1) for at in writes)


def test_events_are_in_order_and_within_the_run():
    planned = events(7.5)
    assert planned == sorted(planned)
    assert planned[-1].at < 7 * MINUTE


def test_a_429_says_how_long_the_outage_still_lasts():
    plan = plan_of("429", 100.0, now=lambda: 92.5)
    assert plan(1, REQUEST).headers == (("Retry-After", "8"),)
    assert plan_of("429", 100.0, now=lambda: 100.0)(1, REQUEST).headers == (("Retry-After", "1"),)


def test_the_engine_does_some_of_what_is_answered_by_a_500_or_not_at_all():
    for kind in ("500", "hung"):
        plan = plan_of(kind, 100.0)
        assert {plan(number, REQUEST).forward for number in range(3)} == {True, False}


def test_growth_is_that_of_ten_minutes():
    assert slope([0, 60, 120, 180], [100.0, 100.1, 100.2, 100.3]) == pytest.approx(1.0)
    assert slope([0, 60, 120], [100.0, 100.0, 100.0]) == 0


def test_memory_is_that_of_processes_that_lasted_from_a_start_of_the_server_to_its_end():
    clock = iter([0.0, 100.0, 120.0, 220.0])
    watch = Watch(lambda: 1, Path("nowhere"), lambda: next(clock))
    for at in range(0, 221, 5):
        restarted = at >= 110
        killed = at // 50
        shares = {10 if restarted else 1: 50.0 + at / 600, 100 + killed: 30.0}
        watch.samples.append(Sample(float(at), sum(shares.values()), {}, shares, 1, 1, 0.0, 0.0))
    for _ in range(2):
        watch.begin()
        watch.end()
    first, second = watch.figures()["growth_mb_per_10_minutes"]
    assert (first["from_s"], second["from_s"]) == (20, 140)
    assert first["processes_that_lasted"] == second["processes_that_lasted"] == pytest.approx(1.0)


def test_a_process_that_just_ends_has_no_share(monkeypatch):
    monkeypatch.setattr("benchmarks.systems.shares_of", lambda pid: {})  # as /proc shows it in that moment
    watch = Watch(os.getpid, Path("nowhere"), lambda: 0.0)
    assert watch.sample().total == 0
