"""The disk of this host, and its last backup."""

import shutil

from django.conf import settings

from core import hooks
from core.metrics.gauges import HostGauge, Remembered

DISK_FREE = HostGauge("gallery_data_free_bytes", "Free bytes of the disk of the folder DATA")
DISK_SIZE = HostGauge("gallery_data_size_bytes", "Bytes of the disk of the folder DATA")
BACKUP = HostGauge("gallery_backup_timestamp_seconds", "When the last backup was taken, or 0")

BACKUP_ASKED = 900.0  # seconds between two looks into the storage of backups


def newest_backup() -> float | None:
    return hooks.newest_backup.call()


backup = Remembered(newest_backup, BACKUP_ASKED, background=True)


def read() -> None:
    disk = shutil.disk_usage(settings.DATA)
    DISK_FREE.set(disk.free)
    DISK_SIZE.set(disk.total)
    if hooks.newest_backup.function is not None:
        taken = backup.get()
        if taken is not None:
            BACKUP.set(taken)
