"""`manage.py d1_time_travel [--at TIME] [--restore]`: show a bookmark of D1's Time Travel, or go back to it."""

from datetime import UTC, datetime

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.dispatch import Signal

from d1backend.errors import Error, OutcomeUnknown
from d1backend.time_travel import (
    NotToldError,
    TimeTravel,
    asks_what_is_lost,
    asks_what_is_next,
    command_to_restore,
    is_bookmark,
    parse_moment,
)


class Command(BaseCommand):
    help = (
        "Show the current bookmark of a database on D1, or that of a time, or take the database back to it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--database", default=DEFAULT_DB_ALIAS, choices=list(connections), help="alias of the database"
        )
        parser.add_argument(
            "--at",
            metavar="TIME",
            help="a time of the last 30 days (7 on the free plan) as 2026-11-29T09:30:00+05:30, or a bookmark",
        )
        parser.add_argument(
            "--restore", action="store_true", help="take the database back; what came after is lost"
        )
        parser.add_argument("--no-input", action="store_true", help="do not ask before a restore")

    def handle(self, *args: str, **options: str | bool | None) -> None:
        alias, at = str(options["database"]), options["at"]
        if options["restore"] and not at:
            raise CommandError("Name the moment to go back to: --at TIME, or --at with a bookmark.")
        try:
            with TimeTravel(alias) as travel:
                moment = None if not at or is_bookmark(str(at)) else parse_moment(str(at))
                bookmark = str(at) if at and moment is None else travel.bookmark(moment)
                if options["restore"]:
                    self._restore(travel, alias, bookmark, moment, asks=not options["no_input"])
                else:
                    self.stdout.write(bookmark)
        except (ValueError, Error, DatabaseError) as error:
            raise CommandError(str(error)) from error

    def _restore(
        self, travel: TimeTravel, alias: str, bookmark: str, moment: datetime | None, *, asks: bool
    ) -> None:
        since = "since then" if moment is None else f"since {moment.isoformat(timespec='seconds')}"
        self.stdout.write(
            f"The database {travel.database} goes back to {bookmark}.\n"
            f"Everything that was written {since} is lost, and requests under way fail."
        )
        self._print_answers(asks_what_is_lost, using=alias, since=moment)
        if asks and not self._agreed():
            raise CommandError("Nothing was done.")
        try:
            undo = travel.restore(bookmark)
        except OutcomeUnknown as error:
            raise CommandError(f"{error}. Run the command again: to go back twice does no harm.") from error
        except NotToldError as error:
            raise CommandError(
                f"The database went back, but its copies were not told: {error}. Stop all hosts, run `python "
                f"manage.py d1_replica install --anew`, and start them again. To undo: "
                f"{command_to_restore(error.undo, alias)}"
            ) from error
        except KeyboardInterrupt:
            raise CommandError(
                "Stopped while D1 went back, so it may have, and its copies may not know. Run the command again: to go "
                "back twice does no harm."
            ) from None
        self.stdout.write(
            f"Done at {datetime.now(UTC).isoformat(timespec='seconds')}. Every host fills its copy again.\n"
            f"To undo: {command_to_restore(undo, alias)}"
        )
        self._print_answers(asks_what_is_next, using=alias)

    def _agreed(self) -> bool:
        try:
            return input("Type yes to go on: ").strip().lower() == "yes"
        except EOFError:
            raise CommandError(
                "Nobody can be asked here. Nothing was done; --no-input does not ask."
            ) from None
        except KeyboardInterrupt:
            return False

    def _print_answers(self, question: Signal, **about: object) -> None:
        for _, lines in question.send(Command, **about):
            for line in lines or ():
                self.stdout.write(f"- {line}")
