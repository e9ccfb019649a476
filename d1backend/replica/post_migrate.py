"""After each migrate, the change log is brought in line with the schema (a handler of Django's post_migrate)."""

import logging
from typing import Any

from django.db import connections

from d1backend.replica.installation import install_log
from d1backend.replica.registry import host_of_source
from d1backend.replica.source import Source

log = logging.getLogger(__name__)


def install_log_after_migrate(using: str, **kwargs: Any) -> None:
    """Install the log of the replica that copies this database, if there is one."""
    host = host_of_source(using)
    if host is None:
        return
    source = Source(host.options, patient=True)
    try:
        with connections[using].wrap_database_errors:
            install_log(source)
    except LookupError as error:
        log.warning("The replica %s is not installed: %s", host.options.alias, error)
    finally:
        source.close()
