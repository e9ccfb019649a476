"""The steps of `manage.py tidy`, each by its own name. The order is that in which they run.

A step deletes in small batches, each of which asks for its conditions again. So people may work meanwhile, and two of
them may run at once.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

import accounts.expired
import designs.expired
from accounts import deletion
from core import cache, metrics_folder, replica, scratch
from core.batches import delete_in_batches
from core.errors import Conflict
from d1backend.replica import trim_log
from designs import old_days, services
from designs.sheets import uploads as imports
from operations.seed import target as seed
from uploads import cleaning

UPLOAD_AGE = timedelta(hours=24)


@dataclass(frozen=True)
class Outcome:
    """What a step removed, or would remove: how many, their names where they have some, and what a person must see."""

    count: int
    details: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """`what` says what the count of the outcome counts. `run` takes whether it is a dry run, which changes nothing."""

    name: str
    what: str
    run: Callable[[bool], Outcome]


def rows(name: str, what: str, find: Callable[[datetime], QuerySet[Any]]) -> Step:
    """The step that deletes the rows which `find` returns for a moment, and to which no other row refers."""

    def run(dry_run: bool) -> Outcome:
        found = find(timezone.now())
        return Outcome(found.count() if dry_run else delete_in_batches(found))

    return Step(name, what, run)


def counted(name: str, what: str, remove: Callable[..., int]) -> Step:
    """The step of a function that takes `dry_run` and returns how many it removed."""
    return Step(name, what, lambda dry_run: Outcome(remove(dry_run=dry_run)))


def trash(dry_run: bool) -> Outcome:
    found = designs.expired.trash(timezone.now())
    return Outcome(found.count() if dry_run else services.designs_purge_all(found))


def day_counts(dry_run: bool) -> Outcome:
    return Outcome(old_days.count() if dry_run else old_days.fold())


def change_log(dry_run: bool) -> Outcome:
    return Outcome(trim_log(replica.REPLICA, dry_run=dry_run) if replica.is_used() else 0)


def uploads(dry_run: bool, *, even_most: bool = False) -> Outcome:
    report = cleaning.clean(
        UPLOAD_AGE, dry_run=dry_run, even_most=even_most, before_orphans=require_no_adoption
    )
    removed = (
        *(f"never completed: {key}" for key in report.pending),
        *(f"unused image: {key}" for key in report.discarded),
        *(f"object without an image: {key}" for key in report.orphans),
    )
    missing = tuple(
        f"An image is stored without its object {key}. Please check it." for key in report.missing
    )
    return Outcome(len(removed), removed, missing)


def require_no_adoption() -> None:
    """Raise Conflict during an adoption: designs that are not adopted yet have no rows that name their pictures."""
    if seed.is_unfinished():
        raise Conflict("The adoption of the seed is not done. Run adopt_seed to its end first.")


def deleted_accounts(dry_run: bool) -> Outcome:
    report = deletion.erase_again(dry_run=dry_run)
    details = (
        *(f"user {key} came back with a restore" for key in report.erased),
        *(f"the id {key} was kept in the database alone" for key in report.kept),
    )
    no_admin = "No approved admin is left. Make one with manage.py create_admin."
    warnings = (no_admin,) if report.erased and not report.has_admin else ()
    return Outcome(len(report.erased), details, warnings)


STEPS = (
    rows("sign_ins", "sign-ins that ended or expired over a week ago", accounts.expired.sign_ins),
    rows(
        "idempotency_keys",
        "answers to calls with an Idempotency-Key, over a day old",
        accounts.expired.kept_answers,
    ),
    rows("reset_codes", "reset codes that have expired", accounts.expired.reset_codes),
    rows("guesses", "limits of guesses that are whole again", accounts.expired.guesses),
    rows(
        "deleted_signups",
        "sign-up days of deleted accounts, over a year old",
        accounts.expired.deleted_signups,
    ),
    Step("deleted_accounts", "deleted accounts that came back with a restore", deleted_accounts),
    Step("trash", "designs that were in the trash for TRASH_DAYS", trash),
    rows("search_counts", "counts of searches, over a year old", designs.expired.search_counts),
    rows("value_totals", "totals of values that no design has", designs.expired.value_totals),
    Step("day_counts", "counts by day, over a year old, that became counts by month", day_counts),
    Step("change_log", "entries of the replica's change log that nobody needs", change_log),
    Step("uploads", "uploads never completed, unused images, objects without an image", uploads),
    counted("imports", "imports on this host that nobody has gone on with for a day", imports.remove_old),
    counted("cache", "expired files of this host's cache", cache.remove_expired),
    counted("scratch", "scratch folders that killed commands left on this host", scratch.remove_left),
    counted(
        "metrics", "folders of metrics that killed servers left on this host", metrics_folder.remove_left
    ),
)


def deleting_most(steps: Iterable[Step]) -> list[Step]:
    """The steps, of which that of uploads deletes objects without a row even where they are most of the store."""
    return [
        replace(step, run=partial(uploads, even_most=True)) if step.run is uploads else step for step in steps
    ]
