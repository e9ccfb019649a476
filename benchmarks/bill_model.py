"""A day of the gallery on D1, and its bill: from what each thing costs, and from how people use the gallery.

Nothing is measured or printed here. bill_measure.py measures the costs, bill_prices.py has Cloudflare's prices, and
docs/costs.md explains the model. What its assumptions are is in Assumptions.
"""

import functools
import math
from dataclasses import dataclass, fields

from benchmarks import bill_prices as prices
from d1backend.protocol.budget import shortest_sync_period

DAYS = 30  # of a month
DAY, HOUR = 86_400.0, 3_600.0  # seconds


@dataclass(frozen=True)
class Assumptions:
    """How people use the gallery, and how it is run. "Daily user" is one who comes on that day."""

    # The users
    daily_share: float = 0.30  # of all users
    sessions: float = 1.5  # of a daily user
    # In a session: opened, which counts as a view. With it the rows first measured, 15 written for a view, cost the
    # $679 a month that were modelled then for 100,000 users on 4 hosts.
    designs_seen: float = 34.0
    lists: float = 12.0  # pages, searches and facets in a session
    likes: float = 1.0  # in a session
    unlikes: float = 0.1  # in a session
    refreshes: float = 1.0  # in a session: the access token of the last one has run out
    logins: float = 1 / 30  # of a daily user; a sign-in lives 30 days
    registrations: float = 0.002  # in a day, of all users; each is approved
    designs: int = 10_000
    popularity: float = 0.8  # Zipf's exponent: how unequally often designs are opened
    # The day
    busy_hours: float = 16.0  # in which people come; a host that nobody asks asks nobody
    peak: float = 4.0  # the busiest five minutes beside the mean of the day
    # The staff
    new_designs: float = 20.0  # in a day, each with an upload
    edits: float = 40.0  # in a day
    # The hosts
    restarts: float = 1.0  # of a host in a day, without its disk, from a snapshot
    snapshots: float = 1.0  # in a day, of all hosts
    look_seconds: float = 600.0  # between a host's looks at the schema
    # The gateway, which does not exist yet
    cpu_ms: float = 2.0  # of the Worker for a request
    # The pictures in R2
    design_gb: float = 0.0006  # a picture with its renditions
    new_pictures: float = 25.0  # that an app fetches in a session, and has not kept from another
    cache_misses: float = 0.1  # of these, that Cloudflare's cache does not have


@dataclass(frozen=True)
class Cost:
    """Requests to D1, and the rows that it bills."""

    requests: float = 0.0
    read: float = 0.0
    written: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.requests + other.requests, self.read + other.read, self.written + other.written)

    def __sub__(self, other: "Cost") -> "Cost":
        return self + other * -1

    def __mul__(self, times: float) -> "Cost":
        return Cost(self.requests * times, self.read * times, self.written * times)


@dataclass(frozen=True)
class Line:
    """A cost that grows with a number of things: `fixed`, and `each` for one of them."""

    fixed: Cost = Cost()
    each: Cost = Cost()

    @classmethod
    def through(cls, few: int, cost_few: Cost, many: int, cost_many: Cost) -> "Line":
        """Return the line through two measured costs."""
        each = (cost_many - cost_few) * (1 / (many - few))
        return cls(cost_few - each * few, each)

    def of(self, number: float) -> Cost:
        return self.fixed + self.each * number


@dataclass(frozen=True)
class Busy:
    """A host that is read without a pause: the seconds between its writes of views, and between its syncs."""

    flush_seconds: float
    sync_seconds: float


@dataclass(frozen=True)
class Costs:
    """What was measured. `calls` are by the name of an order of bill_host.py."""

    calls: dict[str, Cost]
    flush: Line  # by designs that were seen
    sync: Cost  # that finds nothing new
    sync_per_like: Cost  # more, for what others changed
    sync_per_edit: Cost
    sync_per_sign_in: Cost
    sync_per_flush: Line  # by designs that were seen
    look: Cost  # more, for a sync that looks at the schema
    start_by_fill: Cost
    start_by_snapshot: Cost
    snapshot: Cost
    objects_of_upload: float  # in R2
    objects_of_snapshot: float
    database_gb: float
    busy: Busy


@dataclass(frozen=True)
class Day:
    """A day of so many users on so many hosts: the costs by what causes them."""

    users: int
    hosts: int
    daily_users: float
    terms: dict[str, Cost]

    @property
    def total(self) -> Cost:
        return sum(self.terms.values(), Cost())

    @property
    def dearest(self) -> str:
        """What causes the most dollars, if nothing were included in the plan."""
        return max(self.terms, key=lambda name: dollars_of(self.terms[name]))


@dataclass(frozen=True)
class Peak:
    """The requests to D1 of all hosts in the busiest five minutes, by what causes them."""

    people: float
    views: float
    syncs: float

    @property
    def total(self) -> float:
        return self.people + self.views + self.syncs

    @property
    def is_allowed(self) -> bool:
        return self.total <= prices.REST_ALLOWANCE


@dataclass(frozen=True)
class Bill:
    """Dollars a month."""

    plan: float
    rows_read: float
    rows_written: float
    storage: float
    workers: float
    pictures: float

    @property
    def total(self) -> float:
        return sum(getattr(self, one.name) for one in fields(self))


def dollars_of(cost: Cost) -> float:
    """Return what these rows cost above what the plan includes."""
    read, written = prices.D1_ROWS_READ, prices.D1_ROWS_WRITTEN
    return cost.read * read.dollars / read.block + cost.written * written.dollars / written.block


def day(costs: Costs, a: Assumptions, users: int, hosts: int, *, gateway: bool) -> Day:
    """Return what a day costs. Over REST syncs are stretched to their part of the allowance; not through a gateway."""
    daily = users * a.daily_share
    sessions = daily * a.sessions
    calls = costs.calls
    registrations = users * a.registrations
    # What one host writes is read by all the others.
    others = hosts - 1
    likes, sign_ins = sessions * (a.likes + a.unlikes), daily * a.logins + sessions * a.refreshes
    edits = a.edits + 2 * a.new_designs + 2 * registrations
    flushes, seen = views_of(costs.busy.flush_seconds, a, sessions * a.designs_seen / hosts)
    flushes, seen = flushes * hosts, seen * hosts
    asked = (sessions * (a.designs_seen + a.lists)) / hosts
    return Day(
        users,
        hosts,
        daily,
        {
            "reading": calls["detail"] * (sessions * a.designs_seen)
            + (calls["list_page"] + calls["search"] + calls["facets"]) * (sessions * a.lists / 3),
            "likes": calls["favourite"] * (sessions * a.likes)
            + calls["unfavourite"] * (sessions * a.unlikes),
            "sign-ins": calls["login"] * (daily * a.logins)
            + calls["refresh"] * (sessions * a.refreshes)
            + calls["register"] * registrations,
            "staff": calls["approve"] * registrations
            + (calls["upload"] + calls["create"]) * a.new_designs
            + calls["edit"] * a.edits,
            "views": costs.flush.fixed * flushes + costs.flush.each * seen,
            "syncs, asking": costs.sync * (hosts * syncs_of(sync_period(costs, hosts, gateway), a, asked))
            + costs.look * (hosts * a.busy_hours * HOUR / a.look_seconds),
            "syncs, others' changes": (
                costs.sync_per_like * likes
                + costs.sync_per_sign_in * sign_ins
                + costs.sync_per_edit * edits
                + costs.sync_per_flush.fixed * flushes
                + costs.sync_per_flush.each * seen
            )
            * others,
            "new hosts": costs.start_by_snapshot * (hosts * a.restarts) + costs.snapshot * a.snapshots,
        },
    )


def sync_period(costs: Costs, hosts: int, gateway: bool) -> float:
    """Return the seconds between syncs of a host that is read all the time."""
    stretched = 0.0 if gateway else shortest_sync_period(prices.REST_ALLOWANCE, hosts)
    return max(costs.busy.sync_seconds, stretched)


def syncs_of(period: float, a: Assumptions, requests: float) -> float:
    """Return the syncs of a host in a day with so many requests: the first one after each period causes one."""
    pause = a.busy_hours * HOUR / requests
    return a.busy_hours * HOUR / (period + pause)


def views_of(seconds: float, a: Assumptions, views: float) -> tuple[float, float]:
    """Return how often a host writes views in a day with so many views, and how many designs that are altogether.

    Views that come in the same `seconds` are written together, and those of the same design are one.
    """
    intervals = a.busy_hours * HOUR / seconds
    mean = views / intervals
    return intervals * -math.expm1(-mean), intervals * distinct(mean, a.designs, a.popularity)


@functools.cache
def distinct(views: float, designs: int, popularity: float) -> float:
    """Return how many designs so many views are of, on average, with views at random by Zipf's law."""
    weights = shares(designs, popularity)
    return sum(-math.expm1(-views * share) for share in weights)


@functools.cache
def shares(designs: int, popularity: float) -> tuple[float, ...]:
    """Return the part of all views that each design has."""
    weights = [rank**-popularity for rank in range(1, designs + 1)]
    whole = sum(weights)
    return tuple(weight / whole for weight in weights)


def peak_of(costs: Costs, a: Assumptions, daily_users: float, hosts: int) -> Peak:
    """Return the requests over REST in the busiest five minutes of a day with so many daily users."""
    factor = a.peak * prices.REST_WINDOW / DAY
    sessions = daily_users * a.sessions
    people = (
        costs.calls["favourite"] * (sessions * a.likes)
        + costs.calls["unfavourite"] * (sessions * a.unlikes)
        + costs.calls["refresh"] * (sessions * a.refreshes)
        + costs.calls["login"] * (daily_users * a.logins)
        + (costs.calls["register"] + costs.calls["approve"]) * (daily_users / a.daily_share * a.registrations)
        + (costs.calls["upload"] + costs.calls["create"]) * a.new_designs
        + costs.calls["edit"] * a.edits
    )
    intervals = prices.REST_WINDOW / costs.busy.flush_seconds
    views = sessions * a.designs_seen * factor / hosts / intervals
    return Peak(
        people=people.requests * factor,
        views=hosts * intervals * -math.expm1(-views) * costs.flush.of(1).requests,
        syncs=hosts * prices.REST_WINDOW / sync_period(costs, hosts, gateway=False),
    )


def most_daily_users(costs: Costs, a: Assumptions, hosts: int) -> int:
    """Return how many daily users the allowance of REST suffices for at the peak, in hundreds."""
    most = 0
    while peak_of(costs, a, most + 100, hosts).is_allowed and most < 1_000_000:
        most += 100
    return most


def bill(costs: Costs, a: Assumptions, one: Day, *, gateway: bool) -> Bill:
    """Return what a month of such days costs at Cloudflare. The hosts themselves run elsewhere."""
    month = one.total * DAYS
    uploads = costs.objects_of_upload * a.new_designs
    written = (uploads + costs.objects_of_snapshot * a.snapshots) * DAYS
    pictures = one.daily_users * a.sessions * a.new_pictures * a.cache_misses
    read = (pictures + costs.objects_of_snapshot * one.hosts * a.restarts) * DAYS
    workers = prices.WORKERS_REQUESTS.of(month.requests) + prices.WORKERS_CPU_MS.of(month.requests * a.cpu_ms)
    return Bill(
        plan=prices.PLAN,
        rows_read=prices.D1_ROWS_READ.of(month.read),
        rows_written=prices.D1_ROWS_WRITTEN.of(month.written),
        storage=prices.D1_STORAGE_GB.of(costs.database_gb),
        workers=workers if gateway else 0.0,
        pictures=prices.R2_CLASS_A.of(written)
        + prices.R2_CLASS_B.of(read)
        + prices.R2_STORAGE_GB.of(a.designs * a.design_gb),
    )
