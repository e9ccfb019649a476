"""What a run has found so far, by operation, in a file: a run that was cut short can be resumed."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

GETS_LEAST = 0.2  # of the answers to a GET


@dataclass
class Result:
    """One operation (`GET /api/designs`), the examples asked for, its answers by status, and the time in seconds."""

    call: str
    examples: int
    statuses: Counter[str] = field(default_factory=Counter)
    failed: bool = False
    seconds: float = 0.0

    @property
    def answers(self) -> int:
        return self.statuses.total()

    @property
    def successes(self) -> int:
        return sum(number for status, number in self.statuses.items() if status.startswith("2"))

    @property
    def is_tested(self) -> bool:
        """Whether all calls were made, and enough a success for the operation to have been tested, not its refusals."""
        if self.answers < self.examples:
            return False
        if self.call.startswith("GET "):
            return self.successes >= GETS_LEAST * self.answers > 0
        return self.successes > 0

    @property
    def passed(self) -> bool:
        return self.is_tested and not self.failed

    def line(self) -> str:
        by_status = "  ".join(f"{status}: {number}" for status, number in sorted(self.statuses.items()))
        share = self.successes / (self.answers or 1)
        verdict = "FAILED" if self.failed else "ok" if self.is_tested else "TOO FEW"
        return f"{self.call:45}{self.answers:7}{share:7.0%}{self.seconds:7.0f} s  {verdict:12} {by_status}"


class Results:
    """The results in `path`, which begins anew unless the run resumes another."""

    def __init__(self, path: Path, resume: bool) -> None:
        self.path = path
        stored = json.loads(path.read_text()) if resume and path.exists() else []
        found = [Result(**{**one, "statuses": Counter(one["statuses"])}) for one in stored]
        self.by_call = {one.call: one for one in found}

    def is_done(self, call: str, examples: int) -> bool:
        """Whether the operation has passed with at least so many examples."""
        found = self.by_call.get(call)
        return bool(found and found.passed and found.examples >= examples)

    def add(self, result: Result) -> None:
        self.by_call[result.call] = result
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps([vars(one) for one in self.by_call.values()]))
        new.replace(self.path)

    def of(self, calls: Iterable[str]) -> list[Result]:
        return [self.by_call[call] for call in sorted(calls) if call in self.by_call]
