"""How many rows a statement of a transaction meets, by what is known of them or from a question to D1."""

from collections.abc import Iterable, Sequence

from d1backend.sql.values import Value, literal
from d1backend.transaction.hints import Hint
from d1backend.transaction.rehearsal import Rehearsal
from d1backend.transaction.script import Script
from d1backend.transaction.session import Session


class RowCounts:
    """Counts rows for one session."""

    def __init__(self, session: Session, rehearsal: Rehearsal) -> None:
        self._session, self._rehearsal = session, rehearsal

    def count(
        self, script: Script, table: str, column: str, values: Sequence[Value], *, ask: bool
    ) -> int | None:
        """How many rows have one of these keys; None when that is not known. With `ask`, D1 is asked for the first."""
        known, catalog = script.known_rows, self._session.known_catalog
        if catalog is not None and catalog.hides_rows(table.lower()):
            return None
        if known.count(table, column, values) is None:
            question = known.question(table, column, values[0]) if ask else None
            if question is None:
                return None
            result = self._session.read_batch([(question, [])])[0]
            _, rows = self._session.decode_result(question, [], result)
            known.learn(table, column, values[0], rows)
        # The question has fetched a catalog that was unknown.
        catalog = self._session.catalog()
        if script.unchecked:
            script.check_known_rows(catalog)
        return None if catalog.hides_rows(table.lower()) else known.count(table, column, values)

    @staticmethod
    def are_free(script: Script, hint: Hint) -> bool:
        """Whether no row has the keys that the application chose."""
        count = script.known_rows.count
        return all(count(table, column, [key]) == 0 for table, column, key in hint.makes)

    def broken_references(self, script: Script | None, tables: Iterable[str]) -> list[str]:
        """Those of the tables that refer to rows that are not there."""
        names = ", ".join(literal(table) for table in tables)
        sql = (
            "SELECT DISTINCT m.name FROM sqlite_master m, pragma_foreign_key_check(m.name) "
            f"WHERE m.type = 'table' AND m.name IN ({names})"
        )
        if script is not None and script.writes:
            rows = self._rehearsal.rows(script, None, sql, [], 1)
        else:
            rows = self._session.decode_result(sql, [], self._session.read_batch([(sql, [])])[0])[1]
        return [name for (name,) in rows]
