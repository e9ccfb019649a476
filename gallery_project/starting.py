"""What the server says and asks of itself at its start (gunicorn.conf.py)."""

import logging
import platform
from typing import TYPE_CHECKING, cast

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages
from django.db import connection

from core.variables import declared as v
from core.variables.reading import Environment
from gallery_project import checks, memory

if TYPE_CHECKING:
    from core.r2 import Bucket

logger = logging.getLogger("gallery.start")


def require_static_files() -> None:
    """Raise ImproperlyConfigured in production without static files: the pages of the console would be a 500."""
    if found := checks.static_files_are_collected():
        raise ImproperlyConfigured(f"{found[0].msg} {found[0].hint}")


def log_start(workers: int, threads: int) -> None:
    """Log one line with what this server is and where its data lies, without credentials."""
    logger.info(
        "version=%s environment=%s database=%s images=%s replica=%s hosts=%d workers=%d threads=%d "
        "memory_mb=%d python=%s django=%s",
        settings.VERSION,
        settings.ENVIRONMENT,
        connection.display_name,
        place_of_images(),
        "on" if settings.REPLICA_ALIAS in settings.DATABASES else "off",
        Environment()[v.HOSTS],
        workers,
        threads,
        memory.limit() // memory.MEGABYTE,
        platform.python_version(),
        django.get_version(),
    )


def place_of_images() -> str:
    """Return the bucket or the folder of the images."""
    storage = settings.STORAGES["default"]
    options = storage.get("OPTIONS", {})
    return f"r2:{options['bucket_name']}" if "bucket_name" in options else f"folder:{options['location']}"


def load_what_workers_share() -> None:
    """Load what each worker would otherwise load for itself, at its first picture."""
    for alias, storage in settings.STORAGES.items():
        if "bucket_name" in storage.get("OPTIONS", {}):
            cast("Bucket", storages[alias]).load_descriptions()
            return  # all buckets share them


def warn_of_memory(workers: int) -> None:
    """Log a warning where this host has less memory than its workers may need."""
    needed, limit = memory.needed(workers, settings.DECODING_MEMORY), memory.limit()
    if needed > limit:
        logger.warning(
            "%d workers and %d MB for pictures (DECODING_MEMORY_MB) need %d MB with 100,000 designs, and this host "
            "has %d MB: set WEB_CONCURRENCY to %d.",
            workers,
            settings.DECODING_MEMORY // memory.MEGABYTE,
            needed // memory.MEGABYTE,
            limit // memory.MEGABYTE,
            memory.most_workers(settings.DECODING_MEMORY, limit),
        )
