"""The log of changes is kept in step with the schema: after each migrate, and by the command."""

import logging
from typing import Any

from django.db import connections

from d1backend.replica.registry import host_of_source
from d1backend.replica.source import Source

log = logging.getLogger(__name__)


def keep_installed(using: str, **kwargs: Any) -> None:
    """After a migrate: log the changes of the tables as they are now."""
    host = host_of_source(using)
    if host is None:
        return
    source = Source(host.options, patient=True)
    try:
        with connections[using].wrap_database_errors:
            source.install()
    except LookupError as error:
        log.warning("The replica %s is not installed: %s", host.options.alias, error)
    finally:
        source.close()
