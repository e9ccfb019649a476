"""Runs the checks beside each other. One that fails or hangs is a fault of its own, and hides no other."""

import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import connections

from operations.doctor.findings import Check, Finding, Status, Visit, fault, skipped

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Outcome:
    """A check and what it found."""

    check: Check
    finding: Finding


class Running(threading.Thread):
    """A check in a thread of its own, which a process does not wait for when it ends."""

    def __init__(self, check: Check, visit: Visit) -> None:
        super().__init__(name=f"doctor {check.name}", daemon=True)
        self.check, self.visit = check, visit
        self.finding: Finding | None = None
        self.until = time.monotonic() + check.seconds
        self.start()

    def run(self) -> None:
        try:
            self.finding = self.check.run(self.visit)
        except Exception as error:  # noqa: BLE001  a fault in a check is what this reports
            self.finding = crash(error)
        finally:
            connections.close_all()

    def outcome(self) -> Outcome:
        """Wait until the check has ended or its time is over."""
        self.join(max(0.0, self.until - time.monotonic()))
        late = fault(
            f"It did not end within {self.check.seconds:g} s.",
            "Run it again; if it stays so, what it asks hangs or this host is overloaded.",
        )
        return Outcome(self.check, self.finding or late)


def run(checks: Sequence[Check], visit: Visit) -> list[Outcome]:
    """Run the checks and return their outcomes in the same order."""
    done: dict[str, Outcome] = {}
    failed: set[str] = set()  # and those that were skipped for them
    waiting = list(checks)
    while waiting:
        ready = [check for check in waiting if done.keys() >= set(check.needs)]
        running = [Running(check, visit) for check in ready if failed.isdisjoint(check.needs)]
        for check in ready:
            if missing := [name for name in check.needs if name in failed]:
                done[check.name] = Outcome(check, skipped(f"Not checked, because {missing[0]} did not pass."))
                failed.add(check.name)
        done |= {each.check.name: each.outcome() for each in running}
        failed |= {name for name, outcome in done.items() if outcome.finding.status == Status.FAULT}
        waiting = [check for check in waiting if check.name not in done]
    return [done[check.name] for check in checks]


def crash(error: Exception) -> Finding:
    """Return the fault of a check that raised. Without the error's text, which may hold a key or an address."""
    return fault(
        f"The check itself failed: {type(error).__name__} at {place_of(error)}.",
        "This is an error of the code, or of what it found: report it with this line.",
    )


def place_of(error: Exception) -> str:
    """Return the last line of this project that the error passed."""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if is_own(frame.filename)]
    return f"{Path(own[-1].filename).relative_to(ROOT)}:{own[-1].lineno}" if own else "an unknown place"


def is_own(filename: str) -> bool:
    path = Path(filename)
    return path.is_relative_to(ROOT) and not path.is_relative_to(ROOT / ".venv")
