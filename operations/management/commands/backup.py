"""Take a backup of the database, or verify one (docs/backups.md)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from operations.backups import contents, keys, places, taking, verifying
from operations.backups.errors import BackupError
from operations.backups.names import name_of
from operations.interrupts import stoppable


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", metavar="PLACE", help="a folder, or r2: for the private bucket")
        parser.add_argument(
            "--verify",
            metavar="FILE",
            nargs="?",
            const="",
            help="restore a backup into a scratch database and compare; with --to the one that is taken",
        )
        parser.add_argument("--identity", metavar="FILE", help="the file with the private key of age")

    def handle(
        self, *args: str, to: str | None, verify: str | None, identity: str | None, **options: Any
    ) -> None:
        if not to and not verify:
            raise CommandError(
                "Say where the backup shall be, --to FOLDER or --to r2:, or which one to verify, --verify FILE."
            )
        try:
            with stoppable(lambda: "Stopped. What is not named above was not done."):
                if to:
                    self._take(to, verify=verify is not None)
                if verify:
                    identities = keys.read_identities(Path(identity)) if identity else []
                    with places.file_of(verify) as path:
                        self._verify(path, identities)
        except BackupError as error:
            raise CommandError(str(error)) from error

    def _take(self, to: str, *, verify: bool) -> None:
        recipients = keys.recipients(settings.BACKUP_KEY)
        if not recipients:
            self.stderr.write(
                "The backup is not encrypted to a key: who has the file can read all of it. Set BACKUP_KEY."
            )
        place, moment = places.place_of(to), datetime.now(UTC)
        name = name_of(moment)
        with place.writing(name) as path:
            taken = taking.take(path, moment, recipients, self.stderr.write)
            if verify:
                self._verify_new(path, taken.secret)
            size = path.stat().st_size
        rows = sum(taken.rows.values())
        self.stdout.write(
            f"{name}: {len(taken.rows)} tables, {rows:,} rows, {taken.pictures:,} pictures listed, {size:,} bytes."
        )
        for table, seconds in taken.later.items():
            self.stdout.write(f"{table}: its last rows were read {seconds:g} s after the others.")
        for gone in places.thin(place):
            self.stdout.write(f"Deleted {gone}.")

    def _verify_new(self, path: Path, secret: str) -> None:
        """Verify the backup just taken; one that cannot be restored does not stay."""
        try:
            self._verify(path, secret=secret)
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def _verify(self, path: Path, identities: Sequence[Any] = (), secret: str | None = None) -> None:
        with taking.failures(), contents.opened(path, identities, secret) as backup:
            backup.archive.check()
            restored = verifying.verify(backup, path.name, self.stderr.write)
        rows = sum(restored.rows.values())
        self.stdout.write(
            f"{path.name} can be restored: {len(restored.rows)} tables and {rows:,} rows are equal."
        )
