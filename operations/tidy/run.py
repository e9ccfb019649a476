"""Runs the steps: one that fails does not keep the others from running."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import DatabaseError

from core.errors import GalleryError
from d1backend.protocol.budget import Spender, spending
from d1backend.replica import on_primary
from operations.tidy.steps import Outcome, Step

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Done:
    """A step and its outcome, or the sentence that says why it failed."""

    step: Step
    outcome: Outcome | None
    failure: str = ""


def run(steps: Sequence[Step], *, dry_run: bool) -> Iterator[Done]:
    """Run the steps and yield each when it is done.

    They read D1 itself, because a copy has not every row and may be old. Calls count as one of those who spend last,
    so they take no more than a quarter of what this host may send.
    """
    for step in steps:
        with spending(Spender.REST, "tidy"), on_primary():
            done = run_one(step, dry_run)
        yield done


def run_one(step: Step, dry_run: bool) -> Done:
    try:
        return Done(step, step.run(dry_run))
    except GalleryError as error:
        return Done(step, None, error.message)
    except (DatabaseError, OSError) as error:
        return Done(step, None, f"{type(error).__name__}: {error}")
    except Exception as error:
        logger.exception("the step %s of tidy failed", step.name)
        return Done(step, None, f"an error of the program, {type(error).__name__}; the log has the details")
