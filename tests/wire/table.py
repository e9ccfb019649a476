"""What the checks found, line by line."""

import sys
from dataclasses import dataclass, field


@dataclass
class Table:
    """The lines so far; each is printed at once."""

    failed: list[str] = field(default_factory=list)

    def add(self, name: str, found: str, aim: str, *, holds: bool) -> None:
        sys.stdout.write(f"{'  ' if holds else '! '}{name:58} {found:34} {aim}\n")
        sys.stdout.flush()
        if not holds:
            self.failed.append(f"{name}: {found}, and the aim is {aim}")

    def count(self, name: str, faults: list[str], tries: int) -> None:
        """Add a line about tries of which none may fail."""
        found = f"{tries - len(faults):,} of {tries:,}"
        if faults:
            found += f" ({faults[0]})"
        self.add(name, found, "all", holds=not faults)

    def title(self, text: str) -> None:
        sys.stdout.write(f"\n{text}\n")
        sys.stdout.flush()
