"""This gallery's database while a seed is adopted: its state, the rows, and the marks in the audit trail.

A line of the audit trail says that an adoption has begun, and of which seed; another one that it is done. Between them
the database is unfinished: its rows are the first of each table, in the order in which they are written.
"""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Model, Sum
from django.db.models.sql import InsertQuery

from accounts import deleted_ids
from accounts.models import User
from core import checks, restores
from core.json_types import Json
from core.models import AppSetting, AuditEntry
from d1backend import gather, insert_unkeyed
from designs.fields import LIVE
from designs.models import DayTotal, Design, Favourite, ValueTotal
from designs.totals import ALL
from operations.backups.places import PRIVATE
from operations.seed import SeedError
from operations.seed.checks import is_seed
from operations.seed.source import MAKE_ANOTHER
from operations.seed.values import LARGEST_ID
from uploads.models import Image, ImageTotal

BEGIN, DONE = "seed.begin", "seed.adopt"  # the actions in the audit trail
ABOUT = "database"  # their object_type
WRITTEN: tuple[type[Model], ...] = (User, Design, Favourite, AppSetting)
ASKED: tuple[type[Model], ...] = (*WRITTEN, Image, AuditEntry)
NOT_EMPTY = (
    "The database of this gallery has rows already ({}). A seed is adopted into an empty one. " + MAKE_ANOTHER
)
SEQUENCE = (
    "INSERT INTO sqlite_sequence (name, seq) SELECT %s, 0 "
    "WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = %s)",
    "UPDATE sqlite_sequence SET seq = max(seq, %s) WHERE name = %s",
)
SEARCHABLE = "SELECT count(*) FROM designs_search_docsize"


@dataclass(frozen=True)
class State:
    """How many rows of each table an unfinished adoption has written; nothing of a new database."""

    is_new: bool
    written: dict[str, int]


def require_migrated() -> None:
    """Raise SeedError unless the database has all tables of this gallery."""
    if is_seed(DEFAULT_DB_ALIAS):
        raise SeedError(f"The configured database is the seed's own. {MAKE_ANOTHER}")
    if sentence := restores.fault():
        raise SeedError(sentence)
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise SeedError(
            "The database of this gallery is not migrated. Run `manage.py migrate`, then this again."
        )


def state_for(digest: str) -> State:
    """How far this seed is adopted, by its digest. Raises SeedError where that cannot be begun or continued."""
    marks = AuditEntry.objects.filter(object_type=ABOUT, action__in=(BEGIN, DONE)).order_by("pk")
    found, *counts = gather(
        lambda: list(marks.values_list("action", "object_id", "created_at")),
        *(model._default_manager.count for model in ASKED),
        using=DEFAULT_DB_ALIAS,
    )
    tables = [model._meta.db_table for model in ASKED]
    written = dict(zip(tables, counts, strict=True))
    actions = {action: (key, at) for action, key, at in found}
    if DONE in actions:
        at = actions[DONE][1]
        raise SeedError(f"This gallery adopted a seed on {at:%d %B %Y} already. Nothing is left to do.")
    if BEGIN not in actions:
        if any(written.values()):
            rows = ", ".join(f"{count} of {table}" for table, count in written.items() if count)
            raise SeedError(NOT_EMPTY.format(rows))
        return State(True, written)
    if actions[BEGIN][0] != digest:
        raise SeedError(
            "This database holds the first part of another seed, or of this one as it was then or with other options. "
            "Name the same with the same options to go on; or start again. " + MAKE_ANOTHER
        )
    if written["audit_entries"] != 1:
        raise SeedError(
            "Somebody has used this database since its adoption was interrupted. Start again. " + MAKE_ANOTHER
        )
    return State(False, written)


def is_unfinished() -> bool:
    """Return whether an adoption has begun and is not done."""
    marks = AuditEntry.objects.filter(object_type=ABOUT, action__in=(BEGIN, DONE))
    return set(marks.values_list("action", flat=True)) == {BEGIN}


def require_no_deleted_ids() -> None:
    """Raise SeedError if ids of deleted accounts are kept, by which tidy would delete adopted users."""
    if count := len(deleted_ids.all_ids()):
        place = "CLOUDFLARE_R2_PRIVATE_BUCKET_NAME" if PRIVATE in settings.STORAGES else "DATA"
        raise SeedError(
            f"The storage of deletions has {count} ids of accounts that another database had; the nightly "
            f"tidy would delete users of the seed with these ids. Set {place} to an empty one."
        )


def mark(action: str, digest: str, source: str, counts: dict[str, int]) -> None:
    """Write a line of the audit trail."""
    changes: dict[str, list[Json]] = {table: [None, count] for table, count in counts.items()}
    line = AuditEntry(
        action=action, object_type=ABOUT, object_id=digest, object_label=source[:255], changes=changes
    )
    insert_unkeyed(line)


def insert(rows: list[Model]) -> None:
    """Insert rows of one model with all their values as they are, dates that Django sets included."""
    if not rows:
        return
    model = type(rows[0])
    fields = [field for field in model._meta.concrete_fields if field is not model._meta.pk or rows[0].pk]
    most = connection.ops.bulk_batch_size(fields, rows)
    for start in range(0, len(rows), most):
        query = InsertQuery(model)
        query.insert_values(fields, rows[start : start + most], raw=True)
        query.get_compiler(DEFAULT_DB_ALIAS).execute_sql()


def finish(digest: str, source: str, counts: dict[str, int], sequences: dict[str, int]) -> None:
    """Let ids go on after the last one that the seed gave, and mark the adoption as done, in one transaction."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            for table in ("users", "designs", "user_favorites"):
                # After a larger one SQLite gives no id at all.
                if 0 < (last := sequences.get(table, 0)) <= LARGEST_ID:
                    cursor.execute(SEQUENCE[0], [table, table])
                    cursor.execute(SEQUENCE[1], [last, table])
        mark(DONE, digest, source, counts)


def require_consistent(counts: dict[str, int]) -> None:
    """Compare the rows with what was taken, and what triggers keep with the rows. Raises SeedError."""
    likes = Favourite.objects.filter(design__in=Design.objects.filter(LIVE))
    found = gather(
        *(model._default_manager.count for model in WRITTEN),
        lambda: scalar(SEARCHABLE),
        lambda: total(Design, "like_count"),
        lambda: total(DayTotal, "designs"),
        lambda: total(DayTotal, "likes"),
        lambda: ValueTotal.objects.filter(field=ALL).aggregate(count=Sum("count"))["count"] or 0,
        lambda: total(ImageTotal, "images"),
        Design.objects.filter(LIVE).count,
        likes.count,
        Image.objects.count,
        using=DEFAULT_DB_ALIAS,
    )
    designs, favourites = counts["designs"], counts["user_favorites"]
    rows, (live, live_likes, images) = found[:-3], found[-3:]
    names = (
        *(model._meta.db_table for model in WRITTEN),
        "searchable designs",
        "like counts",
        "designs by day",
    )
    names += ("likes by day", "designs by value", "images by category")
    expected = (designs, favourites, live, live_likes, designs, images)
    wanted = [*(counts[model._meta.db_table] for model in WRITTEN), *expected]
    faults = [
        f"{name}: {count} instead of {right}"
        for name, count, right in zip(names, rows, wanted, strict=True)
        if count != right
    ]
    faults += [message.msg for message in checks.differences(DEFAULT_DB_ALIAS)]
    if faults:
        raise SeedError(f"The adopted rows are not what they should be ({'; '.join(faults)}). {MAKE_ANOTHER}")


def total(model: type[Model], column: str) -> int:
    found: int | None = model._default_manager.aggregate(sum=Sum(column))["sum"]
    return found or 0


def scalar(statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]
