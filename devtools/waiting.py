"""Wait for a condition instead of sleeping for luck."""

import time
from collections.abc import Callable


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Ask every 10 ms until the condition is met. Raises AssertionError if it is not met in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"The condition was not met within {seconds:g} s.")
        time.sleep(0.01)
