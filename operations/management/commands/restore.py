"""Fill a new, empty database from a backup (docs/backups.md)."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import Unavailable
from operations.backups import contents, keys, pictures, places, restoring, taking
from operations.backups.contents import Backup
from operations.backups.errors import BackupError
from operations.interrupts import stoppable

UNFINISHED = (
    " The new database is unfinished, and nothing serves it: delete it, and restore into another new one."
)
WHOLE = " The new database is whole, and equal to the backup: go on with the next step of docs/backups.md."


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="a backup: a path, or r2: and a name")
        parser.add_argument("--identity", metavar="FILE", help="the file with the private key of age")

    def handle(self, *args: str, file: str, identity: str | None, **options: Any) -> None:
        self._state = ""  # the end of a sentence about a failure: what it means for the database
        try:
            identities = keys.read_identities(Path(identity)) if identity else []
            with (
                stoppable(lambda: f"Stopped.{self._state}"),
                places.file_of(file) as path,
                taking.failures(),
                contents.opened(path, identities) as backup,
            ):
                self._restore(backup, path.name)
        except BackupError as error:
            raise CommandError(f"{error}{self._state}") from error

    def _become(self, state: str) -> None:
        self._state = state

    def _restore(self, backup: Backup, name: str) -> None:
        contents.require_schema(backup, name)
        # Before anything is written: a part that is damaged must not be found half-way.
        backup.archive.check()
        restored = restoring.restore(
            backup,
            name,
            self.stdout.write,
            on_begin=lambda: self._become(UNFINISHED),
            on_whole=lambda: self._become(WHOLE),
        )
        rows = sum(restored.rows.values())
        self.stdout.write(
            f"Restored {len(restored.rows)} tables with {rows:,} rows of {backup.facts['taken']}, all equal."
        )
        if restored.miscounted:
            self.stderr.write(
                f"The likes of {restored.miscounted:,} designs were counted wrongly already when the backup was taken."
            )
        self._report_pictures(backup)
        self.stdout.write(
            "Next: `manage.py tidy --only deleted_accounts` with this database, then give its id to the hosts "
            "(docs/backups.md)."
        )

    def _report_pictures(self, backup: Backup) -> None:
        try:
            missing = pictures.missing_pictures(backup)
        except Unavailable as error:
            self.stderr.write(f"Which pictures are missing is not known: {error.message}")
            return
        if missing.keys:
            self.stderr.write(
                f"Of the pictures that were there, {missing.gone:,} are missing and {missing.changed:,} are others:"
            )
            self.stderr.write("\n".join(missing.keys))
