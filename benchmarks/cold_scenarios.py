"""The scenarios of bench-cold: which hosts there are, and what happens to them."""

from dataclasses import dataclass

from benchmarks.cold_cloud import Outage


@dataclass(frozen=True)
class Migration:
    """A migration of designs, from one name to another; copies then have the new release's column, or no longer."""

    before: str
    after: str
    leaves_column: bool


ADDED = Migration("0001", "0002", leaves_column=True)
REMOVED = Migration("0002", "0003", leaves_column=False)


@dataclass(frozen=True)
class Scenario:
    """Hosts with a copy (`warm`) and without (`new`), and an outage of so many seconds if there is one.

    A `migration` is run by a host of its own while these serve; with `is_replaced` a host of the new release then
    takes the place of the first.
    """

    name: str
    title: str
    warm: int = 0
    new: int = 0
    has_snapshot: bool = False
    ready_aim: float | None = None  # seconds
    outage: Outage | None = None
    outage_seconds: float = 0.0
    migration: Migration | None = None
    is_replaced: bool = False

    @property
    def hosts(self) -> int:
        """Return how many hosts serve in all."""
        return self.warm + self.new + self.is_replaced


SCENARIOS = (
    Scenario("snapshot", "a new host with a snapshot", new=1, has_snapshot=True, ready_aim=30.0),
    Scenario("fill", "a new host without a snapshot", new=1, ready_aim=600.0),
    Scenario("second", "two hosts, of which one is new and without a snapshot", warm=1, new=1),
    Scenario("away", "D1 away for two minutes", warm=1, outage="away", outage_seconds=120.0),
    Scenario("hung", "D1 hung for one minute", warm=1, outage="hung", outage_seconds=60.0),
    Scenario("compatible", "a compatible migration", warm=1, has_snapshot=True, migration=ADDED),
    Scenario("incompatible", "an incompatible migration", warm=2, has_snapshot=True, migration=REMOVED),
    Scenario(
        "rolling",
        "a rolling deploy with a compatible migration",
        warm=1,
        has_snapshot=True,
        ready_aim=30.0,
        migration=ADDED,
        is_replaced=True,
    ),
)
