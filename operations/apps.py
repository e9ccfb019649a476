"""Commands for maintainers that work on all apps at once."""

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "operations"

    def ready(self) -> None:
        from core import hooks
        from operations import time_travel
        from operations.seed import checks  # noqa: F401  registers the system check

        time_travel.connect()
        hooks.newest_backup.provide(newest_backup)


def newest_backup() -> float | None:
    """Return when the newest backup of the private bucket was taken (time.time()), 0 without any.

    None where there is no such bucket: backups may then lie anywhere. Raises BackupError when it fails.
    """
    from django.core.files.storage import storages

    from operations.backups import newest
    from operations.backups.places import PRIVATE

    if PRIVATE not in storages.backends:
        return None
    moment = newest(storages[PRIVATE])
    return 0.0 if moment is None else moment.timestamp()
