"""`manage.py d1_replica install | fill | snapshot | status | drop`."""

import json
import logging
import sys
from collections.abc import Callable

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from d1backend.archive import ArchiveError
from d1backend.errors import Error
from d1backend.protocol.budget import Spender, spending
from d1backend.replica import status
from d1backend.replica.changes import NeedsRefill
from d1backend.replica.host import Host
from d1backend.replica.installation import drop_log, install_log
from d1backend.replica.options import replica_aliases
from d1backend.replica.registry import host_of
from d1backend.replica.snapshot import SnapshotNotTaken, take_snapshot
from d1backend.replica.snapshot_lease import MigrationAwaited
from d1backend.replica.source import Source

_logger = logging.getLogger(__name__)

_FAILURES = (
    *(LookupError, ValueError, OSError, NeedsRefill, Error, DatabaseError),
    *(ArchiveError, SnapshotNotTaken, MigrationAwaited),
)


def _log_line(line: str) -> None:
    _logger.info("%s", line)


class Command(BaseCommand):
    help = "Install, fill, inspect or remove the embedded replica of D1."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["install", "fill", "snapshot", "status", "drop"])
        parser.add_argument("--database", help="alias of the replica; needed when there are several")
        parser.add_argument(
            "--anew",
            action="store_true",
            help="install: let every host refill its copy, as after a restore of D1",
        )

        parser.add_argument(
            "--log",
            action="store_true",
            help="write to the log and not to the terminal, as a part of a server",
        )

    def handle(
        self,
        *args: str,
        action: str,
        database: str | None,
        anew: bool,
        log: bool = False,
        **options: str | bool,
    ) -> None:
        self._tell: Callable[[str], None] = _log_line if log else self.stdout.write
        try:
            self._run(action, database, anew)
        except CommandError as error:
            if not log:
                raise
            _logger.error("d1_replica %s failed: %s", action, error)
            sys.exit(error.returncode)

    def _run(self, action: str, database: str | None, anew: bool) -> None:
        host = host_of(self._alias(database))
        if action == "status":
            self.stdout.write(json.dumps(status(host.options.alias)))
            return
        waits = action == "fill"
        source = Source(host.options, patient=True, on_rate_limit=self._print_wait if waits else None)
        try:
            if action == "install":
                if not install_log(source, new_epoch=anew, on_change=self._tell):
                    self._tell("Nothing to do.")
            elif action == "fill":
                self._fill_with_progress(host, source)
            elif action == "snapshot":
                self._take_snapshot(host, source)
            else:
                drop_log(source)
                self._tell("D1 logs no more changes for replicas.")
        except _FAILURES as error:
            raise CommandError(str(error)) from error
        finally:
            source.close()

    def _alias(self, database: str | None) -> str:
        aliases = replica_aliases()
        if database in aliases or (database is None and len(aliases) == 1):
            return database or aliases[0]
        raise CommandError(f"Name one of the replicas in DATABASES: {', '.join(aliases) or 'there is none'}.")

    def _print_wait(self, seconds: float) -> None:
        self._tell(f"D1 takes no more requests for now; going on in {seconds:.0f} s.")

    def _take_snapshot(self, host: Host, source: Source) -> None:
        """Write a snapshot of this host's copy, whether or not one is due."""
        host.sync_now(source)
        taken = take_snapshot(host.directory, source, only_when_due=False, gently=False)
        self._tell(f"Snapshot {taken.name} holds the copy up to change {taken.seq}.")

    def _fill_with_progress(self, host: Host, source: Source) -> None:
        """Fill this host's copy or bring it up to date, and print how many rows have come."""

        def progress(table: str, rows: int) -> None:
            if filling := host.directory.read_filling():
                self._tell(f"{table}: {filling['rows']:,} of {filling['total']:,}")

        def waiting(seconds: float, error: str) -> None:
            self._tell(f"{error} Going on in {seconds:.0f} s.")

        with spending(Spender.FILL):
            install_log(source, exact=False)
        host.fill_now(source, progress, waiting)
        self._tell("The replica is up to date.")
