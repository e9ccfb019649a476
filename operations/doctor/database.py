"""Checks of the database's content: migrations, triggers, counters, settings of staff, admins."""

import json
import time
from contextlib import closing

from django.conf import settings
from django.core.checks import ERROR
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from accounts.models import User
from core import app_settings, checks, replica, restores, triggers
from core.models import AppSetting
from d1backend.replica.installation import log_is_installed
from d1backend.replica.registry import host_of
from d1backend.replica.source import Source
from operations.doctor.counters import differing
from operations.doctor.findings import Finding, Visit, fault, listed, ok, skipped, warning

MIGRATE = "Run `manage.py migrate`."


def answers(visit: Visit) -> Finding:
    """The database answers a query."""
    started = time.perf_counter()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except DatabaseError as error:
        return fault(
            f"The database does not answer: {type(error).__name__}.",
            "With SQLite look at DATA and DATABASE_URL, with D1 at the checks of D1.",
        )
    if sentence := restores.fault():
        return fault(sentence, "Set the id of a database that is whole.")
    took = (time.perf_counter() - started) * 1000
    return ok(f"{connection.display_name} answers a query in {took:.0f} ms.")


def migrations(visit: Visit) -> Finding:
    """Every migration of this code is applied, and no other."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        names = [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
        return fault(f"Not applied: {listed(names)}.", MIGRATE)
    if newer := checks.newer_migrations(DEFAULT_DB_ALIAS):
        return warning(
            f"The database has migrations that this code does not know: {listed(newer)}.",
            "Deploy the release that made them, or later; this one may be too old for the database.",
        )
    return ok(f"All {len(executor.loader.applied_migrations)} migrations are applied.")


def triggers_equal(visit: Visit) -> Finding:
    """The triggers and full-text tables are those that the code expects, word for word."""
    found = list(checks.differences(DEFAULT_DB_ALIAS))
    if found and checks.newer_migrations(DEFAULT_DB_ALIAS):
        return warning(
            "The triggers differ from those of this code, as a newer release has migrated the database.",
            "Deploy that release again, or later.",
        )
    wrong = [message for message in found if message.level >= ERROR]
    advice = "Run `manage.py check --database default`, and make a migration of what `print_triggers` prints."
    if wrong:
        return fault(listed([message.msg.rstrip(".") for message in wrong], 3) + ".", advice)
    if found:
        strays = listed([message.msg.split()[0] for message in found])
        return warning(f"The code does not know these triggers: {strays}.", "Drop them in a migration.")
    return ok(f"All {len(triggers.expected())} triggers and full-text tables are as the code expects.")


def log_triggers(visit: Visit) -> Finding:
    """D1 logs its changes for the copies of the hosts."""
    if not replica.is_used():
        return skipped("There is no copy of D1, so nothing is logged for one.")
    with closing(Source(host_of(replica.REPLICA).options, patient=False)) as source:
        if log_is_installed(source):
            return ok("D1 logs every change of the copied tables.")
    return fault("D1 does not log every change of the copied tables.", "Run `manage.py d1_replica install`.")


def counters(visit: Visit) -> Finding:
    """The counts that triggers keep equal what they count."""
    if replica.is_used() and not host_of(replica.REPLICA).status()["usable"]:
        return skipped("Not compared, because this host has no copy of D1 to count in.")
    alias = replica.alias_for("designs", "user_favorites", "value_totals", "images", "image_totals")
    if wrong := differing(alias):
        return fault(
            f"Counts differ from what they count: {', '.join(wrong)}.",
            "Triggers were missing or fired twice, as when rows are loaded by other tools: restore a backup, or "
            "write the counts anew.",
        )
    return ok("Likes, designs by status and images by category are counted right.")


def told_settings(visit: Visit) -> Finding:
    """The settings that staff change at run time are known and valid."""
    wrong, unknown = [], []
    for row in AppSetting.objects.using(DEFAULT_DB_ALIAS).order_by("key"):
        known = app_settings.KNOWN.get(row.key)
        if known is None:
            unknown.append(row.key)
        elif not is_valid(row.value, known):
            wrong.append(row.key)
    if wrong:
        return fault(f"These app settings have no valid value: {listed(wrong)}.", "Set them at /admin/.")
    if unknown:
        return warning(f"Nothing reads these app settings: {listed(unknown)}.", "Delete their rows.")
    return ok("The app settings of staff are valid.")


def is_valid(value: str, known: app_settings.Known) -> bool:
    try:
        return app_settings.fault_of(json.loads(value), known) is None
    except ValueError:
        return False


def admin(visit: Visit) -> Finding:
    """Somebody can sign in to the console."""
    count = User.objects.using(DEFAULT_DB_ALIAS).filter(is_admin=True, is_approved=True).count()
    if count:
        return ok(f"There {'is one approved admin' if count == 1 else f'are {count} approved admins'}.")
    sentence = "There is no approved admin, so nobody can approve anybody."
    advice = "Run `ADMIN_USERNAME=… ADMIN_PASSWORD=… manage.py create_admin --no-input`."
    return (fault if settings.PRODUCTION else warning)(sentence, advice)
