"""Prints what bench-bill found, and whether it meets the aims."""

import sys
from dataclasses import asdict, dataclass, fields

from benchmarks import bill_prices as prices
from benchmarks.bill_model import (
    Assumptions,
    Bill,
    Cost,
    Costs,
    Day,
    Peak,
    bill,
    day,
    most_daily_users,
    peak_of,
    sync_period,
)

USERS, HOSTS = (1_000, 10_000, 100_000), (1, 4, 20)
AIM_USERS, AIM_HOSTS, AIM_DOLLARS = 100_000, 4, 170.0
AIM_DAILY_USERS = 16_000


@dataclass(frozen=True)
class Cell:
    """So many users on so many hosts, over REST and through a gateway."""

    users: int
    hosts: int
    rest: Day
    rest_bill: Bill
    rest_peak: Peak
    gateway: Day
    gateway_bill: Bill


def cell(costs: Costs, a: Assumptions, users: int, hosts: int) -> Cell:
    rest = day(costs, a, users, hosts, gateway=False)
    through = day(costs, a, users, hosts, gateway=True)
    return Cell(
        users,
        hosts,
        rest,
        bill(costs, a, rest, gateway=False),
        peak_of(costs, a, rest.daily_users, hosts),
        through,
        bill(costs, a, through, gateway=True),
    )


@dataclass(frozen=True)
class Report:
    """Everything that was measured and reckoned."""

    costs: Costs
    assumptions: Assumptions
    cells: list[Cell]
    aimed: Cell  # at whose dollars the aim is
    aimed_peak: Peak  # at whose requests the aim is
    most_daily_users: dict[int, int]  # within the allowance of REST, by hosts

    @property
    def dollars(self) -> float:
        """The dearer way of the two."""
        return max(self.aimed.rest_bill.total, self.aimed.gateway_bill.total)


def make_report(costs: Costs, a: Assumptions) -> Report:
    return Report(
        costs,
        a,
        [cell(costs, a, users, hosts) for users in USERS for hosts in HOSTS],
        cell(costs, a, AIM_USERS, AIM_HOSTS),
        peak_of(costs, a, AIM_DAILY_USERS, AIM_HOSTS),
        {hosts: most_daily_users(costs, a, hosts) for hosts in HOSTS},
    )


def as_json(report: Report) -> dict[str, object]:
    return {**asdict(report), "dollars": report.dollars, "missed": missed_aims(report)}


def missed_aims(report: Report) -> list[str]:
    found = []
    if report.dollars > AIM_DOLLARS:
        found.append(
            f"{AIM_USERS:,} users on {AIM_HOSTS} hosts cost ${report.dollars:,.0f} a month, aim ${AIM_DOLLARS:.0f}"
        )
    if not report.aimed_peak.is_allowed:
        found.append(
            f"{AIM_DAILY_USERS:,} daily users on {AIM_HOSTS} hosts need {report.aimed_peak.total:,.0f} requests in the "
            f"busiest five minutes, aim {prices.REST_ALLOWANCE:,}"
        )
    return found


def print_report(report: Report) -> None:
    lines = [
        *assumption_lines(report.assumptions),
        *measured_lines(report.costs),
        *bill_lines(report),
        *aimed_lines(report),
        *peak_lines(report),
        *aim_lines(report),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def assumption_lines(a: Assumptions) -> list[str]:
    found = [f"{one.name.replace('_', ' ')} {getattr(a, one.name):,.4g}" for one in fields(a)]
    rows = [", ".join(found[start : start + 6]) for start in range(0, len(found), 6)]
    return [f"Prices: {prices.SOURCES}", "Assumed (benchmarks/bill_model.py):", *(f"  {row}" for row in rows)]


def measured_lines(costs: Costs) -> list[str]:
    rows = {
        **costs.calls,
        "write views": costs.flush.fixed,
        "  each design": costs.flush.each,
        "sync, nothing new": costs.sync,
        "  another's like": costs.sync_per_like,
        "  another's edit": costs.sync_per_edit,
        "  another's sign-in": costs.sync_per_sign_in,
        "  another's views": costs.sync_per_flush.fixed,
        "    each design": costs.sync_per_flush.each,
        "  look at the schema": costs.look,
        "host from D1": costs.start_by_fill,
        "host from a snapshot": costs.start_by_snapshot,
        "write a snapshot": costs.snapshot,
    }
    busy = costs.busy
    return [
        "",
        f"{'Measured':22}{'requests':>9}{'read':>10}{'written':>9}",
        *(
            f"{name.replace('_', ' '):22}{c.requests:9.1f}{c.read:10,.1f}{c.written:9.1f}"
            for name, c in rows.items()
        ),
        f"A busy host writes views every {busy.flush_seconds:.1f} s and follows D1 every {busy.sync_seconds:.1f} s. "
        f"The database has {costs.database_gb * 1000:,.0f} MB.",
    ]


def bill_lines(report: Report) -> list[str]:
    head = f"{'users':>8}{'hosts':>6}{'requests':>11}{'read':>15}{'written':>13}{'REST':>9}{'gateway':>9}  dearest"
    lines = [
        "",
        "A day over REST, in thousands, and the dollars of a month (*: beyond the allowance of REST)",
        head,
    ]
    for one in report.cells:
        total = one.rest.total
        star = " " if one.rest_peak.is_allowed else "*"
        lines.append(
            f"{one.users:8,}{one.hosts:6}{thousands(total.requests):>11}{thousands(total.read):>15}"
            f"{thousands(total.written):>13}{one.rest_bill.total:8,.0f}{star}{one.gateway_bill.total:9,.0f}"
            f"  {one.rest.dearest}"
        )
    return lines


def aimed_lines(report: Report) -> list[str]:
    one = report.aimed
    lines = ["", f"{AIM_USERS:,} users on {AIM_HOSTS} hosts, through a gateway, a day in thousands"]
    for name, cost in one.gateway.terms.items():
        lines.append(f"{name:24}{term(cost)}")
    parts = {name: value for name, value in asdict(one.gateway_bill).items() if value}
    dollars = ", ".join(f"{name.replace('_', ' ')} {value:,.2f}" for name, value in parts.items())
    return [*lines, f"Dollars a month: {dollars}. The dearest: {one.gateway.dearest}."]


def term(cost: Cost) -> str:
    return f"{thousands(cost.requests):>10}{thousands(cost.read):>13}{thousands(cost.written):>11}"


def thousands(number: float) -> str:
    return f"{number / 1000:,.1f}"


def peak_lines(report: Report) -> list[str]:
    factor, peak = report.assumptions.peak, report.aimed_peak
    return [
        "",
        f"The busiest five minutes over REST ({factor:g} times the mean), {AIM_DAILY_USERS:,} daily users on "
        f"{AIM_HOSTS} hosts: {peak.total:,.0f} requests of {prices.REST_ALLOWANCE:,} (people {peak.people:,.0f}, "
        f"views {peak.views:,.0f}, syncs {peak.syncs:,.0f})",
        "It suffices for "
        + ", ".join(
            f"{most:,} daily users on {hosts} (a sync each {sync_period(report.costs, hosts, gateway=False):.1f} s)"
            for hosts, most in report.most_daily_users.items()
        ),
    ]


def aim_lines(report: Report) -> list[str]:
    missed = missed_aims(report)
    return ["", *(f"MISSED: {line}" for line in missed)] if missed else ["", "Both aims hold."]
