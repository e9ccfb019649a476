"""What a check found: a status, one sentence, and what to do."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from operations.doctor.d1_probe import Answers


class Status(StrEnum):
    """From the best to the worst. SKIPPED: another check has to pass first."""

    OK = "ok"
    SKIPPED = "skipped"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True)
class Finding:
    """The outcome of one check; `advice` is empty where there is nothing to do."""

    status: Status
    sentence: str
    advice: str = ""


@dataclass
class Visit:
    """What the checks of one run share: the public address, or "", and what D1 answered, once it did."""

    url: str = ""
    d1: Answers | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Check:
    """A check: its name, which is stable, its section, and the seconds that it may take.

    It is skipped unless the checks in `needs` passed, perhaps with a warning.
    """

    section: str
    name: str
    run: Callable[[Visit], Finding]
    needs: tuple[str, ...] = ()
    seconds: float = 12.0


def ok(sentence: str) -> Finding:
    return Finding(Status.OK, sentence)


def warning(sentence: str, advice: str) -> Finding:
    return Finding(Status.WARNING, sentence, advice)


def fault(sentence: str, advice: str) -> Finding:
    return Finding(Status.FAULT, sentence, advice)


def skipped(sentence: str) -> Finding:
    return Finding(Status.SKIPPED, sentence)


def listed(names: list[str], most: int = 5) -> str:
    """Return names for a sentence: the first few, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def duration(seconds: float) -> str:
    """Return a length of time in words: 40 s, 5 min, 3 h, 2 days."""
    for size, unit in ((86_400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
