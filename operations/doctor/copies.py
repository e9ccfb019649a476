"""Checks of what is kept beside the database: this host's copy of D1, its snapshots, and backups."""

from contextlib import closing

from django.conf import settings
from django.core.files.storage import storages
from django.utils import timezone

from core import replica
from d1backend.archive import ArchiveError
from d1backend.errors import MissingError
from d1backend.replica import snapshot
from d1backend.replica.registry import host_of
from d1backend.replica.snapshot_lease import EVERY
from d1backend.replica.source import Source
from operations.backups.errors import BackupError
from operations.backups.keys import recipients
from operations.backups.places import PRIVATE, newest
from operations.doctor.d1 import is_used as d1_is_used
from operations.doctor.findings import Finding, Visit, duration, fault, ok, skipped, warning

PRIVATE_VARIABLE = "CLOUDFLARE_R2_PRIVATE_BUCKET_NAME"
BACKUP_WARNING, BACKUP_FAULT = 2 * 86_400.0, 7 * 86_400.0  # seconds: one is made each night


def copy(visit: Visit) -> Finding:
    """This host has a copy of D1, and it follows."""
    if not d1_is_used():
        return skipped("The copy of D1 is not used, because D1 is not.")
    if not replica.is_used():
        return warning("Every read asks D1, because REPLICA is off.", "Remove REPLICA, or set it to on.")
    before = host_of(replica.REPLICA).status()
    if not before["usable"]:
        filling = before["filling"]
        part = f"; {filling['fraction']:.0%} are filled" if filling else ""
        return warning(
            f"This host has no copy of D1 yet{part}.",
            "Wait until /health/ready is 200; on a host that does not serve, as in a cron job, there need not be one.",
        )
    status = replica.status()
    if status["error"]:
        return fault(
            f"The copy of D1 cannot follow: {status['error']}.",
            "Look at the checks of D1; if they pass, run `manage.py d1_replica fill`.",
        )
    age = status["age"] or 0.0
    if status["late"]:
        sentence = f"The copy of D1 is {duration(age)} old, more than REPLICA_MAX_AGE allows."
        return warning(sentence, "Run it again; if it stays late, D1 or this host is overloaded.")
    return ok(f"This host's copy of D1 is filled and {duration(age)} old.")


def snapshots(visit: Visit) -> Finding:
    """There is a recent snapshot, from which a new host can fill its copy, and this host's secret opens it."""
    if not replica.is_used():
        return skipped("There are no snapshots, because no host has a copy of D1.")
    if settings.SNAPSHOTS is None:
        return warning(
            "There are no snapshots: a new host reads every table from D1.",
            f"Create a second bucket without a public address, and set {PRIVATE_VARIABLE}.",
        )
    host = host_of(replica.REPLICA)
    again = "Run `manage.py d1_replica snapshot` on a host that serves."
    with closing(Source(host.options, patient=False)) as source:
        try:
            found = snapshot.newest_snapshot(host.directory, source)
        except MissingError:
            return fault("D1 has no log of changes.", "Run `manage.py d1_replica install`.")
        except ArchiveError as error:
            sentence = f"The newest snapshot cannot be used: {error}."
            advice = f"If JWT_SECRET was changed, set JWT_SECRET_PREVIOUS. {again}"
            return fault(sentence, advice)
    if found is None:
        return warning("No snapshot was written yet.", f"A host that serves writes one each day. {again}")
    if found.age > 2 * EVERY:
        return warning(f"The newest snapshot is {duration(found.age)} old.", again)
    return ok(f"The newest snapshot is {duration(found.age)} old, and can be opened.")


def backup(visit: Visit) -> Finding:
    """A backup was made in the last days."""
    if PRIVATE not in settings.STORAGES:
        if not settings.PRODUCTION:
            return skipped("No backups are expected in development.")
        return warning(
            "There is no private bucket in which backups could be found.",
            f"Set {PRIVATE_VARIABLE}, or see that `manage.py backup --to DIR` runs each night.",
        )
    again = "Run `manage.py backup --to r2:`, and see that it runs each night."
    try:
        moment = newest(storages[PRIVATE])
    except BackupError as error:
        return fault(str(error), "See what the bucket's own check says.")
    if moment is None:
        return warning("There is no backup in the private bucket.", again)
    age = (timezone.now() - moment).total_seconds()
    sentence = f"The newest backup is {duration(age)} old."
    if age < BACKUP_WARNING:
        return ok(sentence)
    return (fault if age >= BACKUP_FAULT else warning)(sentence, again)


def backup_key(visit: Visit) -> Finding:
    """Backups are encrypted to a key that is not on this host."""
    if settings.BACKUP_KEY:
        try:
            recipients(settings.BACKUP_KEY)
        except BackupError as error:
            return fault(
                str(error), "Copy the line age1… of `age-keygen` anew: until then no backup is made."
            )
        return ok("Backups are encrypted to the public keys in BACKUP_KEY.")
    if not settings.PRODUCTION:
        return skipped("No backups are expected in development.")
    return warning(
        "BACKUP_KEY is not set: backups are not encrypted, and whoever reads one has every name, contact and hash.",
        "Run `age-keygen -o gallery-backup.key` on your own computer, keep the file there, and set BACKUP_KEY to the "
        "line age1… that it prints. Older backups stay as they are.",
    )
