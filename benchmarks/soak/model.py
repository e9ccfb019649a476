"""What the service has acknowledged, and what a read may therefore answer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Json = dict[str, Any]
NEVER = float("inf")
KEPT = 120.0  # seconds for which a value that was replaced is remembered: longer than any read takes
FIELDS = (
    *("id", "title", "description", "r2_object_key", "category", "style", "colour", "fabric", "occasion"),
    *("season", "designer_name", "collection_name", "featured", "status", "version", "created_at"),
)


@dataclass
class Step(Generic[T]):
    """A value, from when it may have been there (`sent`) and from when it certainly was (`sure`)."""

    value: T
    sent: float
    sure: float = NEVER


class Register(Generic[T]):
    """One thing that is written by one client at a time: its values, the oldest first."""

    def __init__(self, value: T, at: float = 0.0) -> None:
        self.steps = [Step(value, at, at)]

    @property
    def value(self) -> T:
        """Return the last value that was acknowledged."""
        return next(step.value for step in reversed(self.steps) if step.sure < NEVER)

    @property
    def is_sure(self) -> bool:
        return self.steps[-1].sure < NEVER

    def begin(self, value: T, at: float) -> Step[T]:
        """Note that a write is sent. Confirm or refute it, or leave it: then it may have been done or not."""
        self.steps.append(Step(value, at))
        return self.steps[-1]

    def confirm(self, step: Step[T], at: float, value: T | None = None) -> None:
        """Note that the write was acknowledged, with this value if it is another than was expected."""
        step.sure = at
        if value is not None:
            step.value = value
        replaced = [one for one in self.steps if one.sure < at - KEPT]
        self.steps = self.steps[max(0, len(replaced) - 1) :]

    def refute(self, step: Step[T]) -> None:
        """Note that the service said that nothing was done."""
        self.steps.remove(step)

    def possible(self, begin: float, end: float) -> list[T]:
        """Return the values that a read may answer that was sent at `begin` and answered at `end`."""
        found: list[T] = []
        for step in reversed(self.steps):
            if step.sent <= end:
                found.append(step.value)
            if step.sure < begin:
                break
        return found


@dataclass
class Likes:
    """The favourites of a design: `before` the soak, and those `others` of people whom the soak leaves alone."""

    before: int
    others: int = field(init=False)
    by_user: dict[int, Register[bool]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.others = self.before

    def of(self, user: int, is_favourite: bool) -> Register[bool]:
        """Return whether the user likes it; the first call says whether it was so before the soak."""
        if user not in self.by_user:
            self.others -= is_favourite
            self.by_user[user] = Register(is_favourite)
        return self.by_user[user]

    def bounds(self, begin: float, end: float) -> tuple[int, int]:
        """Return the least and the greatest number of likes that a read may show."""
        seen = [register.possible(begin, end) for register in self.by_user.values()]
        return self.others + sum(map(all, seen)), self.others + sum(map(any, seen))


@dataclass
class Model:
    """What is known of the catalogue.

    `fixed` are the designs that nobody changes, as hashes; `designs` those that the soak makes and changes, None where
    a design may not be there; `coming` those whose creation is not acknowledged, by title. `favourites` are those
    before the soak, by user.
    """

    fixed: dict[int, int] = field(default_factory=dict)
    designs: dict[int, Register[Json | None]] = field(default_factory=dict)
    coming: dict[str, Register[Json | None]] = field(default_factory=dict)
    likes: dict[int, Likes] = field(default_factory=dict)
    favourites: dict[int, set[int]] = field(default_factory=dict)

    def learn(self, item: Json) -> None:
        """Take a design as it was before the soak."""
        self.fixed[item["id"]] = fingerprint(item)
        self.likes[item["id"]] = Likes(item["like_count"])

    def expect(self, fields: Json, at: float) -> Step[Json | None]:
        """Note that a creation of a design with these fields is sent; its title is no other's."""
        register = self.coming[fields["title"]] = Register[Json | None](None, at)
        return register.begin(fields, at)

    def made(self, step: Step[Json | None], item: Json, at: float) -> None:
        """Note that the creation was acknowledged with this design."""
        register = self.coming.pop(item["title"])
        register.confirm(step, at, item)
        self.designs[item["id"]] = register
        self.likes[item["id"]] = Likes(0)

    def is_favourite(self, user: int, design: int) -> Register[bool]:
        """Return whether the user likes the design, for a write to it."""
        return self.likes[design].of(user, design in self.favourites.get(user, ()))

    def may_be_favourite(self, user: int, design: int, begin: float, end: float) -> list[bool]:
        register = self.likes[design].by_user.get(user) if design in self.likes else None
        return register.possible(begin, end) if register else [design in self.favourites.get(user, ())]

    def counted(self, begin: float, end: float, counts: Callable[[Json], bool]) -> tuple[int, int]:
        """Return how many of the soak's designs a read counts at least and at most."""
        registers = (*self.designs.values(), *self.coming.values())
        seen = [register.possible(begin, end) for register in registers]
        votes = [[one is not None and counts(one) for one in values] for values in seen]
        return sum(map(all, votes)), sum(map(any, votes))

    def new_likes(self, now: float) -> tuple[int, int]:
        """Return by how many the likes of all designs outside the trash have grown, at least and at most."""
        found = [
            (one.bounds(now, now), one.before)
            for number, one in self.likes.items()
            if number not in self.designs or (self.designs[number].value or {}).get("status") != "deleted"
        ]
        return sum(least - before for (least, _), before in found), sum(
            most - before for (_, most), before in found
        )

    def published(self, begin: float, end: float, **equal: str) -> tuple[int, int]:
        """Return how many of the soak's designs people see at least and at most, with these values."""
        return self.counted(begin, end, lambda one: is_published(one, **equal))


def is_published(design: Json, **equal: str) -> bool:
    return design["status"] == "published" and all(design[name] == value for name, value in equal.items())


def values_of(item: Json) -> tuple[Any, ...]:
    """Return what a write sets of a design: all but its counts, the reader's like and the addresses of pictures."""
    pictures = tuple((picture["object_key"], picture["alt"]) for picture in item["images"])
    return (*(item[name] for name in FIELDS), pictures)


def fingerprint(item: Json) -> int:
    return hash(values_of(item))
