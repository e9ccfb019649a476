"""`manage.py d1_replica install | fill | status | drop`."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from d1backend.errors import Error
from d1backend.replica import status
from d1backend.replica.host import Host
from d1backend.replica.options import replica_aliases
from d1backend.replica.registry import host_of
from d1backend.replica.source import Source, UnfitError
from d1backend.replica.sync import bring_forward


class Command(BaseCommand):
    help = "Install, fill, look at or remove the embedded replica of D1."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["install", "fill", "status", "drop"])
        parser.add_argument("--database", help="alias of the replica; needed when there are several")
        parser.add_argument(
            "--anew", action="store_true", help="install: let every host fill anew, as after a restore of D1"
        )

    def handle(self, *args: Any, action: str, database: str | None, anew: bool, **options: Any) -> None:
        host = host_of(self._alias(database))
        if action == "status":
            self.stdout.write(json.dumps(status(host.options.alias)))
            return
        source = Source(host.options, patient=True, waiting=self._say_wait if action == "fill" else None)
        try:
            if action == "install":
                if not source.install(anew=anew, say=self.stdout.write):
                    self.stdout.write("Nothing to do.")
            elif action == "fill":
                self._fill(host, source)
            else:
                source.drop()
                self.stdout.write("D1 logs no more changes for replicas.")
        except (LookupError, ValueError, OSError, UnfitError, Error, DatabaseError) as error:
            raise CommandError(str(error)) from error
        finally:
            source.close()

    def _alias(self, database: str | None) -> str:
        aliases = replica_aliases()
        if database in aliases or (database is None and len(aliases) == 1):
            return database or aliases[0]
        raise CommandError(f"Name one of the replicas in DATABASES: {', '.join(aliases) or 'there is none'}.")

    def _say_wait(self, seconds: float) -> None:
        self.stdout.write(f"D1 takes no more requests for now; going on in {seconds:.0f} s.")

    def _fill(self, host: Host, source: Source) -> None:
        """Make this host's copy, or bring it up to date, and say how far it is."""
        rows: dict[str, int] = {}
        source.install(exactly=False)
        counts = source.counts()

        def progress(table: str, count: int) -> None:
            rows[table] = rows.get(table, 0) + count
            self.stdout.write(f"{table}: {rows[table]:,} of {counts[table]:,}")

        with host.folder.locked():
            bring_forward(host, source, progress)
        self.stdout.write("The replica is up to date.")
