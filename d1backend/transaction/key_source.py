"""Where the keys of new rows come from: a block reserved ahead, or a prediction of what SQLite gives next."""

from d1backend.errors import AlreadyAppliedError, MissingError, OperationalError, OutcomeUnknown
from d1backend.sql.values import literal, quote_name
from d1backend.transaction import keys
from d1backend.transaction.rehearsal import Rehearsal
from d1backend.transaction.script import Script
from d1backend.transaction.session import Session


class KeySource:
    """Chooses keys for one session."""

    def __init__(self, session: Session, rehearsal: Rehearsal) -> None:
        self._session, self._rehearsal = session, rehearsal

    def held_keys(self, table: str, count: int) -> list[int] | None:
        """Keys from the block at hand, when it has as many."""
        return keys.take(self._session.identity, table, count)

    def reserved_keys(self, script: Script, table: str, column: str, count: int) -> list[int] | None:
        """Keys that no other process gets, or None for a table without AUTOINCREMENT."""
        held = self.held_keys(table, count)
        if held is None:
            # The more keys a transaction has used, the more it is likely to need.
            held = self._reserve(table, column, count, 4 * script.used_keys.get((table, column), 0))
        if held is not None:
            used = script.used_keys
            used[table, column] = used.get((table, column), 0) + count
        return held

    def _reserve(self, table: str, column: str, count: int, expected: int) -> list[int] | None:
        size = max(count, keys.SMALLEST, expected) if count <= keys.LARGEST_REFILL else count
        try:
            results = self._session.write_batch(keys.reserve(table, column, size))
        except OutcomeUnknown as unknown:
            # Unused keys do no harm, and nothing of the application's was written.
            raise OperationalError(f"No keys for {table} could be reserved. {unknown.__cause__}") from None
        except MissingError:
            return None
        if isinstance(results, AlreadyAppliedError) or not results[1]["rows"]:
            return None
        keys.keep(self._session.identity, table, int(results[1]["rows"][0][0]), size)
        return self.held_keys(table, count)

    def predicted_keys(self, script: Script, table: str, column: str, count: int) -> list[int]:
        """The keys SQLite would give next; for a script that never commits, or that makes the table."""
        name = table.lower()
        if name not in script.next_keys:
            ((highest,),) = self._rehearsal.rows(
                script,
                frozenset([name, "sqlite_sequence"]),
                f"SELECT max(coalesce((SELECT max({quote_name(column)}) FROM {quote_name(table)}), 0), coalesce("
                f"(SELECT seq FROM sqlite_sequence WHERE name = {literal(table)} COLLATE NOCASE), 0))",
                [],
                1,
            )
            script.next_keys[name] = highest + 1
        first = script.next_keys[name]
        script.next_keys[name] = first + count
        return list(range(first, first + count))

    def refills(self, script: Script) -> list[tuple[str, str, int]]:
        """The blocks that the commit refills: table, key column, and as many keys as the script used."""
        return [
            (table, column, count)
            for (table, column), count in script.used_keys.items()
            if count <= keys.LARGEST_REFILL and keys.left(self._session.identity, table) < count
        ]
