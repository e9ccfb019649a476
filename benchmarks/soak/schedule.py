"""When what fails: D1 and the store for 20 s of each minute, a worker once a minute, the whole server halfway."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["refused", "hung", "429", "500"]
KINDS: tuple[Kind, ...] = ("refused", "hung", "429", "500")
Place = Literal["d1", "store", "worker", "server", "elsewhere"]
MINUTE = 60.0
OUTAGE = 20.0  # seconds
# The store fails alone, with D1 and after it. A worker dies in even minutes while all is well, else while both fail.
D1_AT, STORE_AT = 8.0, 18.0
KILL_AT = (48.0, 24.0)  # of even and odd minutes
RESTART_AT = 42.0
# Another host writes while this one does not reach D1, in each tenth minute: it has to catch up.
ELSEWHERE_AT, ELSEWHERE_EACH = 18.0, 10


@dataclass(frozen=True, order=True)
class Event:
    """At `at` seconds of the run: `what` is the kind of an outage that begins, "back", "kill", "restart" or "write"."""

    at: float
    place: Place
    what: str


@dataclass(frozen=True)
class Window:
    """Seconds of the run in which a place fails, or in which what was killed comes back."""

    begin: float
    end: float
    place: Place
    kind: str

    def meets(self, begin: float, end: float) -> bool:
        return begin <= self.end and self.begin <= end


def events(minutes: float) -> list[Event]:
    """Return what happens in a run of so many minutes, in order; of a part of a minute nothing happens."""
    whole = int(minutes)
    middle = whole // 2
    found = []
    for number in range(whole):
        start = number * MINUTE
        d1, store = KINDS[number % len(KINDS)], KINDS[(number + 2) % len(KINDS)]
        found += outage(start + D1_AT, "d1", d1) + outage(start + STORE_AT, "store", store)
        if number % ELSEWHERE_EACH == 0:
            found.append(Event(start + ELSEWHERE_AT, "elsewhere", "write"))
        if number == middle:
            found.append(Event(start + RESTART_AT, "server", "restart"))
        else:
            found.append(Event(start + KILL_AT[number % 2], "worker", "kill"))
    return sorted(found)


def outage(begin: float, place: Place, kind: Kind) -> list[Event]:
    return [Event(begin, place, kind), Event(begin + OUTAGE, place, "back")]


def outages(planned: list[Event]) -> list[Window]:
    """Return the windows in which D1 or the store fails."""
    found: list[Window] = []
    begun: dict[Place, Event] = {}
    for event in planned:
        if event.what == "back":
            first = begun.pop(event.place)
            found.append(Window(first.at, event.at, event.place, first.what))
        elif event.place in ("d1", "store"):
            begun[event.place] = event
    return found
