"""All checks, in the order of the report."""

from operations.doctor import buckets, configuration, copies, d1, database, host, service, values
from operations.doctor.findings import Check

D1, DATABASE, SERVICE = ("d1.answers",), ("database.answers",), ("service.answers",)

OF_DEPLOYMENT = [
    Check("Settings", "settings.environment", configuration.environment),
    Check("Settings", "settings.system_checks", configuration.system_checks),
    Check("Settings", "settings.values", values.values),
    Check("Settings", "settings.secrets", configuration.secrets),
    Check("Settings", "settings.hosts", configuration.hosts),
    Check("Settings", "settings.cors", configuration.cors),
    Check("Settings", "settings.csrf", configuration.csrf),
    Check("Settings", "settings.mail", configuration.mail),
    Check("D1", "d1.answers", d1.answers, seconds=18),
    Check("D1", "d1.speed", d1.speed, D1),
    Check("D1", "d1.allowance", d1.allowance, D1),
    Check("D1", "d1.size", d1.size, D1),
    Check("D1", "d1.schema", d1.schema, D1),
    Check("D1", "d1.clock", d1.clock, D1),
    Check("Database", "database.answers", database.answers, D1),
    Check("Database", "database.migrations", database.migrations, DATABASE),
    Check("Database", "database.triggers", database.triggers_equal, ("database.migrations",)),
    Check("Database", "database.log", database.log_triggers, ("database.migrations",)),
    Check("Database", "database.counters", database.counters, ("database.migrations",)),
    Check("Database", "database.app_settings", database.told_settings, ("database.migrations",)),
    Check("Database", "database.admin", database.admin, ("database.migrations",)),
    Check("Copies", "copies.replica", copies.copy, D1),
    Check("Copies", "copies.snapshots", copies.snapshots, ("d1.schema", "private_bucket.objects")),
    Check("Copies", "copies.backup", copies.backup, ("private_bucket.objects",)),
    Check("Copies", "copies.backup_key", copies.backup_key),
    Check("R2", "bucket.objects", buckets.public_takes_objects, seconds=20),
    Check("R2", "bucket.address", buckets.public_address, ("bucket.objects",), seconds=20),
    Check("R2", "bucket.cors", buckets.cors, ("bucket.objects",)),
    Check("R2", "bucket.clock", buckets.clock),
    Check("R2", "private_bucket.objects", buckets.private_takes_objects, seconds=20),
    Check(
        "R2", "private_bucket.private", buckets.private_is_private, ("private_bucket.objects",), seconds=20
    ),
    Check("Host", "host.data", host.data),
    Check("Host", "host.disk", host.disk, ("host.data",)),
    Check("Host", "host.memory", host.memory),
    Check("Host", "host.cache", host.cache),
    Check("Host", "host.proxies", host.proxies),
]
FROM_OUTSIDE = [
    Check("Service", "service.answers", service.answers),
    Check("Service", "service.https", service.https, SERVICE),
    Check("Service", "service.health", service.health, SERVICE),
    Check("Service", "service.metrics", service.metrics, SERVICE),
    Check("Service", "service.cors", service.cors, SERVICE),
    Check("Service", "service.static_files", service.static_files, SERVICE),
    Check("Service", "service.forms", service.forms, SERVICE),
    Check("Service", "service.client_address", service.client_address, SERVICE),
]


def checks(url: str) -> list[Check]:
    """Return the checks; those from outside only if there is a public address."""
    return OF_DEPLOYMENT + (FROM_OUTSIDE if url else [])
