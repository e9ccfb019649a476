"""The model behind `make bench-bill`: a day on D1 and its bill at Cloudflare."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import bill_prices as prices
from benchmarks.bill_model import (
    Assumptions,
    Bill,
    Busy,
    Cost,
    Costs,
    Day,
    Line,
    bill,
    day,
    distinct,
    most_daily_users,
    peak_of,
    views_of,
)
from benchmarks.bill_report import AIM_DAILY_USERS, AIM_HOSTS, make_report, missed_aims

NOTHING = Cost()
CALLS = (
    "list_page",
    "search",
    "facets",
    "detail",
    "favourite",
    "unfavourite",
    "login",
    "refresh",
    "register",
)
STAFF_CALLS = ("approve", "upload", "create", "edit")


def costs(**changed):
    """Costs of nothing at all, but for what is named; `calls` adds to the calls."""
    calls = {**dict.fromkeys((*CALLS, *STAFF_CALLS), NOTHING), **changed.pop("calls", {})}
    nothing = {
        **dict.fromkeys(("sync", "sync_per_like", "sync_per_edit", "sync_per_sign_in", "look"), NOTHING),
        **dict.fromkeys(("start_by_fill", "start_by_snapshot", "snapshot"), NOTHING),
        **dict.fromkeys(("flush", "sync_per_flush"), Line()),
        **dict.fromkeys(("objects_of_upload", "objects_of_snapshot", "database_gb"), 0.0),
    }
    return Costs(calls=calls, **{**nothing, "busy": Busy(10.0, 1.5), **changed})


def day_of(measured, *, users=100_000, hosts=4, gateway=False, **assumed):
    return day(measured, Assumptions(**assumed), users, hosts, gateway=gateway)


# Prices


@pytest.mark.parametrize(
    ("price", "units", "dollars"),
    [
        (prices.D1_ROWS_WRITTEN, 50_000_000, 0.0),
        (prices.D1_ROWS_WRITTEN, 51_000_000, 1.0),
        (prices.D1_ROWS_READ, 25_000_000_000, 0.0),
        (prices.D1_ROWS_READ, 26_000_000_000, 1.0),
        (prices.D1_STORAGE_GB, 7, 1.5),
        # The example of Cloudflare's page: 15 million requests of 7 ms each.
        (prices.WORKERS_REQUESTS, 15_000_000, 1.5),
        (prices.WORKERS_CPU_MS, 7 * 15_000_000, 1.5),
    ],
)
def test_only_what_is_not_included_is_billed(price, units, dollars):
    assert price.of(units) == pytest.approx(dollars)


def test_a_gallery_that_nobody_uses_costs_the_plan():
    idle = Day(0, 1, 0.0, {})
    assert bill(costs(), Assumptions(), idle, gateway=True).total == prices.PLAN


def test_a_month_of_rows_written_is_billed_by_the_million():
    one = Day(0, 1, 0.0, {"views": Cost(written=10_000_000), "likes": Cost(written=2_000_000)})
    assert bill(costs(), Assumptions(), one, gateway=False) == Bill(5.0, 0.0, 310.0, 0.0, 0.0, 0.0)


def test_only_a_gateway_bills_requests_and_cpu():
    one = Day(0, 1, 0.0, {"syncs": Cost(requests=1_000_000)})
    assumed = Assumptions(cpu_ms=2.0)
    assert bill(costs(), assumed, one, gateway=False).workers == 0.0
    assert bill(costs(), assumed, one, gateway=True).workers == pytest.approx(20 * 0.30 + 30 * 0.02)


# A day


def test_likes_are_those_of_the_users_who_come():
    measured = costs(calls={"favourite": Cost(1, 100, 20), "unfavourite": Cost(1, 50, 10)})
    found = day_of(measured, users=1000, daily_share=0.2, sessions=2, likes=3, unlikes=1)
    assert found.daily_users == 200
    assert found.terms["likes"] == Cost(400 * 4, 400 * (3 * 100 + 50), 400 * (3 * 20 + 10))


def test_each_other_host_reads_what_one_wrote():
    measured = costs(sync_per_like=Cost(read=10))
    likes = 100_000 * 0.3 * 1.5 * 1.1
    for hosts in (1, 4, 20):
        found = day_of(measured, hosts=hosts, daily_share=0.3, sessions=1.5, likes=1, unlikes=0.1)
        assert found.terms["syncs, others' changes"].read == pytest.approx(likes * 10 * (hosts - 1))


def test_syncs_over_rest_stay_within_their_part_and_are_not_stretched_through_a_gateway():
    measured = costs(sync=Cost(1, 20, 0), busy=Busy(10.0, 1.5))
    for hosts in (1, 4, 20):
        rest, through = (
            day_of(measured, hosts=hosts, gateway=gateway).terms["syncs, asking"].requests
            for gateway in (False, True)
        )
        most = 0.3 * prices.REST_ALLOWANCE / prices.REST_WINDOW * 16 * 3600
        assert rest <= most
        assert through >= rest
        assert 0.7 < through / (hosts * 16 * 3600 / 1.5) <= 1


def test_a_host_that_is_hardly_read_hardly_syncs():
    found = day_of(
        costs(sync=Cost(1)), users=10, hosts=1, daily_share=0.1, sessions=1, designs_seen=5, lists=5
    )
    assert 9 <= found.terms["syncs, asking"].requests <= 10


def test_the_dearest_term_is_by_dollars_and_not_by_rows():
    one = Day(0, 1, 0.0, {"syncs": Cost(read=900_000_000), "likes": Cost(written=1_000_000)})
    assert one.dearest == "likes"


# Views


def test_few_views_are_written_one_by_one_and_many_at_most_once_in_a_period():
    few, seen = views_of(10.0, Assumptions(busy_hours=16), 5)
    assert few == pytest.approx(5, rel=0.01)
    assert seen == pytest.approx(5, rel=0.01)
    many, seen = views_of(10.0, Assumptions(busy_hours=16), 10_000_000)
    assert many == pytest.approx(16 * 360)
    assert seen < 10_000_000


@given(st.floats(0.01, 10_000), st.integers(1, 500), st.floats(0, 1.5))
def test_designs_seen_are_no_more_than_views_nor_than_designs(views, designs, popularity):
    found = distinct(views, designs, popularity)
    assert 0 < found <= min(views, designs) * (1 + 1e-9)
    assert distinct(2 * views, designs, popularity) >= found


def test_rarer_writes_of_views_write_fewer_rows():
    flush = Line(Cost(1, 77, 4), Cost(0, 35, 15))
    often, rarely = (
        day_of(costs(flush=flush, busy=Busy(seconds, 1.5))).terms["views"] for seconds in (2.5, 10.0)
    )
    assert rarely.requests < often.requests / 3
    assert rarely.written < often.written


@given(st.floats(0, 100), st.floats(0, 100))
def test_a_line_goes_through_the_two_costs_that_were_measured(fixed, each):
    line = Line.through(1, Cost(1, fixed + each, 4), 100, Cost(1, fixed + 100 * each, 4))
    assert line.of(7).read == pytest.approx(fixed + 7 * each, abs=1e-6)
    assert line.of(7).requests == pytest.approx(1)


# The peak


def test_the_peak_is_four_times_the_mean_five_minutes_of_the_day():
    measured = costs(calls={"refresh": Cost(1)}, busy=Busy(1e9, 1.5))
    found = peak_of(measured, Assumptions(sessions=2, refreshes=1, peak=4), daily_users=14_400, hosts=4)
    assert found.people == pytest.approx(14_400 * 2 * 4 / 288)
    assert found.syncs == pytest.approx(360)


def test_each_host_writes_views_once_in_its_period():
    measured = costs(flush=Line(Cost(1), Cost()), busy=Busy(10.0, 1.5))
    assert peak_of(measured, Assumptions(), daily_users=50_000, hosts=4).views == pytest.approx(120, rel=0.01)


def test_the_most_daily_users_just_fit_in_the_allowance():
    measured, assumed = costs(calls={"favourite": Cost(1), "refresh": Cost(1)}), Assumptions()
    most = most_daily_users(measured, assumed, 4)
    assert peak_of(measured, assumed, most, 4).is_allowed
    assert not peak_of(measured, assumed, most + 100, 4).is_allowed


# The aims


def test_the_report_names_each_aim_that_is_missed():
    cheap = costs(calls={"refresh": Cost(1, 1, 1)})
    assert missed_aims(make_report(cheap, Assumptions())) == []
    dear = replace(cheap, flush=Line(Cost(1), Cost(written=15)), busy=Busy(1.0, 1.5))
    dollars, requests = missed_aims(make_report(dear, Assumptions()))
    assert dollars.endswith("a month, aim $170")
    assert requests.startswith(f"{AIM_DAILY_USERS:,} daily users on {AIM_HOSTS} hosts need")
