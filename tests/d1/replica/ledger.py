"""What the processes of hosts write down for each other, and the bucket that they share."""

import json
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage

MAX_AGE = 0.5
# What the processes count in the ledger.
LOOKS = ("judged", "excused", "written", "restored", "rejected", "failed", "died")


class Ledger:
    """Files that record writes: for each beacon the next height, and the last acknowledged one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _put(self, name: str, text: str) -> None:
        new = self.folder / f"{name}.new"
        new.write_text(text)
        new.replace(self.folder / name)

    def progress(self, beacon: int) -> int:
        file = self.folder / f"{beacon}-next"
        return int(file.read_text()) if file.exists() else 1

    def advance(self, beacon: int, height: int) -> None:
        self._put(f"{beacon}-next", str(height))

    def note(self, beacon: int, host: str, height: int) -> None:
        with (self.folder / "acknowledged").open("a") as file:
            file.write(f"{beacon} {height}\n")
        self._put(f"{beacon}", json.dumps([host, height, time.time()]))

    def acknowledged(self) -> set[tuple[int, int]]:
        """The beacon and the height of each write that was acknowledged."""
        file = self.folder / "acknowledged"
        lines = file.read_text().splitlines() if file.exists() else []
        return {(int(beacon), int(height)) for beacon, height in map(str.split, lines)}

    def count(self, what: str) -> None:
        with (self.folder / what).open("ab") as file:
            file.write(b".")

    def promises(self, host: str) -> dict[int, int]:
        """The heights that a process of this host must read now."""
        now, promised = time.time(), {}
        for file in self.folder.glob("*[0-9]"):
            where, height, moment = json.loads(file.read_text())
            if where == host or now - moment > MAX_AGE:
                promised[int(file.name)] = height
        return promised


class Bucket(FileSystemStorage):
    """The private bucket. In a process of a host it fails at times, or the process is killed while it writes."""

    ledger: Ledger | None = None
    dice = random.Random()

    def _open(self, name: str, mode: str = "rb") -> Any:
        self._fail_at_times(name)
        return super()._open(name, mode)

    def _save(self, name: str, content: Any) -> str:
        self._fail_at_times(name)
        self._die_at_times(name)
        saved = super()._save(name, content)
        self._die_at_times(name)
        return saved

    def _fail_at_times(self, name: str) -> None:
        if self.ledger is not None and name.endswith(("-000001", "manifest")) and self.dice.random() < 0.1:
            self.ledger.count("failed")
            raise ConnectionError

    def _die_at_times(self, name: str) -> None:
        if self.ledger is not None and name.endswith(("-000001", "manifest")) and self.dice.random() < 0.1:
            self.ledger.count("died")
            os.kill(os.getpid(), signal.SIGKILL)
