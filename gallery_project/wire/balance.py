"""How connections spread over the workers of this host: one that holds more than a sibling lets it accept.

Left to the kernel, eight connections of a proxy often fall to one worker, whose threads then share one interpreter.
"""

import mmap
import time
from array import array

PLACES = 64
LIVES = 2_000_000_000  # ns: a worker that has not been heard of for so long does not count
PATIENCE = 250_000_000  # ns: a new connection waits for another worker for so long, at most
FORGOTTEN = 50_000_000  # ns without a connection to leave to others, after which patience is whole again
NEVER = -LIVES
LOOK_AGAIN = 0.005  # seconds until a connection that was left to others is looked at again

# For each worker how many connections it holds, and when it last said so; shared with all processes forked from here.
board = memoryview(mmap.mmap(-1, PLACES * 16)).cast("q")
board[:] = memoryview(array("q", [0, NEVER] * PLACES))
free = list(range(PLACES))


class Place:
    """The place of one worker on the board. Taken before the fork, given back when the worker has ended."""

    def __init__(self) -> None:
        self.number = free.pop(0) if free else None  # without one it accepts whatever it can
        self.first = self.last = -FORGOTTEN  # when connections were left to others, this time
        self.withdraw()

    def give_back(self) -> None:
        """In the process that forks workers: let another worker have the place."""
        self.withdraw()
        if self.number is not None:
            free.append(self.number)
            self.number = None

    def withdraw(self) -> None:
        """Count no more: others accept without regard to this worker."""
        if self.number is not None:
            board[2 * self.number + 1] = NEVER

    def say(self, held: int) -> None:
        """Tell the others how many connections this worker holds. To be repeated within LIVES."""
        if self.number is not None:
            board[2 * self.number] = held
            board[2 * self.number + 1] = time.monotonic_ns()

    def fewest(self, now: int) -> int | None:
        """Return how many connections the living worker with the fewest holds; None if none is known to live."""
        return min((board[at] for at in range(0, 2 * PLACES, 2) if now - board[at + 1] < LIVES), default=None)

    def should_leave(self, held: int) -> bool:
        """Return whether to leave a new connection to a living sibling, which holds fewer, and has not been slow."""
        now = time.monotonic_ns()
        fewest = self.fewest(now)
        if fewest is None or fewest >= held:
            return False
        if now - self.last > FORGOTTEN:
            self.first = now
        if now - self.first > PATIENCE:
            return False
        self.last = now
        return True

    def surplus(self, held: int) -> int:
        """Return how many connections to end after their next answer, so that their clients open new ones elsewhere.

        Otherwise a worker that came late, as after a restart, would have none while a proxy keeps those it has.
        """
        fewest = self.fewest(time.monotonic_ns())
        return 0 if fewest is None else max(0, (held - fewest) // 2)
