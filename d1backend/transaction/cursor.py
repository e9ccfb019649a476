"""The cursor that Django and applications run their SQL through."""

from collections.abc import Iterable, Iterator

from d1backend.errors import InterfaceError, NotSupportedError, ProgrammingError
from d1backend.protocol.parameters import Params, bind
from d1backend.sql.converters import shown_name
from d1backend.sql.tokenizer import Parsed, SeveralStatementsError, parse
from d1backend.sql.values import Row
from d1backend.transaction import wide
from d1backend.transaction.hints import Hint, hint_of
from d1backend.transaction.interface import D1Connection
from d1backend.transaction.script import Write

_IGNORED_SETTINGS = {"FOREIGN_KEYS", "DEFER_FOREIGN_KEYS", "LEGACY_ALTER_TABLE"}


class Cursor:
    """A PEP 249 cursor; a row count inside a transaction costs a rehearsal, and only when it is read."""

    def __init__(self, connection: D1Connection) -> None:
        self.connection = connection
        self.arraysize = 1
        self.closed = False
        self._clear()

    def _clear(self) -> None:
        self.description: list[tuple[str, None, None, None, None, None, None]] | None = None
        self._rows: list[Row] = []
        self._at = 0
        self._write: Write | None = None
        self._count = -1

    @property
    def rowcount(self) -> int:
        """Rows that the last statement changed; -1 for one that only reads."""
        if self._write is not None:
            return self._count_of(self._write)
        return self._count

    def _count_of(self, write: Write) -> int:
        if write.parsed.kind != "write":
            return -1
        with self.connection.translate_errors:
            return self.connection.observe_count(write)

    @property
    def lastrowid(self) -> int | None:
        if self._write is None:
            return None
        with self.connection.translate_errors:
            return self.connection.observe_last_id(self._write)

    def execute(self, sql: str, params: Params = None) -> "Cursor":
        """Run one statement with Django's placeholders; a compiler's hint comes with its text."""
        hint, sql = hint_of(sql), str(sql)
        parsed = self._begin(sql)
        if parsed.kind == "read":
            self._read(parsed, sql, params)
            return self
        text, bound = bind(sql[: parsed.end], params)
        if parsed.kind == "control":
            self.connection.control(parsed)
        elif parsed.kind == "pragma" and "=" in text:
            _check_setting(parsed)
        elif parsed.kind == "pragma":
            self._keep_rows(parsed, sql, *self.connection.read_rows(parsed, text, bound))
        elif parsed.kind != "empty":
            self._write_rows(parsed, text, bound, hint, sql)
        return self

    def _read(self, parsed: Parsed, sql: str, params: Params) -> None:
        """Run a SELECT; one of too many columns for D1 is packed."""
        narrow = wide.narrow(sql) if len(parsed.columns or ()) > wide.MAX_COLUMNS else None
        sent = parse(narrow.sql) if narrow else parsed
        # The guard of a locking read binds one more.
        text, bound = bind((narrow.sql if narrow else sql)[: sent.end], params, spare=int(sent.for_update))
        read = self.connection.read_for_update if sent.for_update else self.connection.read_rows
        names, rows = read(sent, text, bound)
        if narrow:
            names, rows = self.connection.returned_names(parsed, sql), narrow.widen(rows)
        self._keep_rows(parsed, sql, names, rows)

    def _begin(self, sql: str) -> Parsed:
        if self.closed or self.connection.closed:
            raise ProgrammingError(f"Cannot operate on a closed {'cursor' if self.closed else 'database'}.")
        self._clear()
        try:
            return parse(sql)
        except SeveralStatementsError as error:
            raise ProgrammingError(str(error)) from error

    def _write_rows(self, parsed: Parsed, text: str, bound: list[str], hint: Hint, sql: str) -> None:
        self._write, rows = self.connection.write(parsed, text, bound, hint)
        if parsed.columns is not None:
            self._keep_rows(parsed, sql, self.connection.returned_names(parsed, sql), rows)

    def _keep_rows(self, parsed: Parsed, sql: str, names: list[str], rows: list[Row]) -> None:
        """Keep the result of a statement to be fetched."""
        self._rows = self.connection.convert_rows(parsed, sql, names, rows)
        self.description = [(shown_name(name), None, None, None, None, None, None) for name in names]

    def executemany(self, sql: str, param_list: Iterable[Params]) -> "Cursor":
        """Run one statement for each set of parameters; outside a transaction they are one batch."""
        sql = str(sql)
        parsed = self._begin(sql)
        if parsed.kind not in ("write", "schema"):
            raise ProgrammingError("executemany() can only execute DML statements.")
        if self.connection.script is None:
            text = sql[: parsed.end]
            writes = [Write(*bind(text, params), parsed) for params in param_list]
            self._count = self.connection.write_many(writes) if writes else 0
            return self
        counts = []
        for params in param_list:
            self.execute(sql, params)
            counts.append(self._write.count if self._write else None)
        self._clear()
        self._count = -1 if None in counts else sum(c for c in counts if c)
        return self

    def fetchone(self) -> Row | None:
        if self._at >= len(self._rows):
            return None
        self._at += 1
        return self._rows[self._at - 1]

    def fetchmany(self, size: int | None = None) -> list[Row]:
        rows = self._rows[self._at : self._at + (self.arraysize if size is None else size)]
        self._at += len(rows)
        return rows

    def fetchall(self) -> list[Row]:
        rows = self._rows[self._at :]
        self._at = len(self._rows)
        return rows

    def __iter__(self) -> Iterator[Row]:
        while (row := self.fetchone()) is not None:
            yield row

    def close(self) -> None:
        self.closed = True
        self._rows = []

    def setinputsizes(self, sizes: Iterable[int | None]) -> None:
        """Part of PEP 249; there is nothing to prepare."""

    def setoutputsize(self, size: int, column: int | None = None) -> None:
        """Part of PEP 249; there is nothing to prepare."""

    def callproc(self, name: str, params: Params = None) -> None:
        raise InterfaceError("SQLite has no stored procedures.")


def _check_setting(parsed: Parsed) -> None:
    """Ignore a PRAGMA that sets what each batch sets anyway; reject one that would affect other connections."""
    name = parsed.words[1].upper() if len(parsed.words) > 1 else ""
    if name not in _IGNORED_SETTINGS:
        raise NotSupportedError(f"D1 shares its connections: PRAGMA {name.lower()} cannot be set.")
