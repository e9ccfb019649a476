"""The cursor that Django and applications run their SQL through."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from d1backend.errors import InterfaceError, NotSupportedError, ProgrammingError
from d1backend.protocol.parameters import bind
from d1backend.sql.tokenizer import Parsed, SeveralStatementsError, parse
from d1backend.transaction.script import Write

if TYPE_CHECKING:
    from d1backend.transaction.connection import Connection

Params = Sequence[Any] | Mapping[str, Any] | None
_SILENT = {"FOREIGN_KEYS", "DEFER_FOREIGN_KEYS", "LEGACY_ALTER_TABLE"}


class Cursor:
    """A PEP 249 cursor; row counts of a transaction's statements are asked for only when they are read."""

    def __init__(self, connection: "Connection") -> None:
        self.connection = connection
        self.arraysize = 1
        self.closed = False
        self._clear()

    def _clear(self) -> None:
        self.description: list[tuple[Any, ...]] | None = None
        self._rows: list[tuple[Any, ...]] = []
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
        with self.connection.translating:
            return self.connection.told_count(write)

    @property
    def lastrowid(self) -> int | None:
        if self._write is None:
            return None
        with self.connection.translating:
            return self.connection.told_last_id(self._write)

    def execute(self, sql: str, params: Params = None) -> "Cursor":
        """Run one statement with Django's placeholders."""
        parsed = self._begin(sql)
        text, bound = bind(sql, params)
        if parsed.kind == "control":
            self.connection.control(parsed)
        elif parsed.kind == "pragma" and "=" in text:
            _refuse_setting(parsed)
        elif parsed.kind in ("read", "pragma"):
            read = self.connection.read_for_update if parsed.for_update else self.connection.read
            names, rows = read(parsed, text, bound)
            self._take(parsed, names, rows)
        else:
            self._run(parsed, text, bound)
        return self

    def _begin(self, sql: str) -> Parsed:
        if self.closed or self.connection.closed:
            raise ProgrammingError(f"Cannot operate on a closed {'cursor' if self.closed else 'database'}.")
        self._clear()
        try:
            return parse(sql)
        except SeveralStatementsError as error:
            raise ProgrammingError(str(error)) from error

    def _run(self, parsed: Parsed, text: str, bound: list[str]) -> None:
        self._write, rows = self.connection.write(parsed, text, bound)
        if parsed.columns is not None:
            self._take(parsed, [c.name or "" for c in parsed.columns], rows)

    def _take(self, parsed: Parsed, names: list[str], rows: list[tuple[Any, ...]]) -> None:
        """Keep a result for the fetches."""
        self._rows = self.connection.typed(parsed, names, rows)
        self.description = [(name, None, None, None, None, None, None) for name in names]

    def executemany(self, sql: str, param_list: Iterable[Any]) -> "Cursor":
        """Run one statement for each set of parameters; outside a transaction they are one batch."""
        parsed = self._begin(sql)
        if parsed.kind not in ("write", "schema"):
            raise ProgrammingError("executemany() can only execute DML statements.")
        if self.connection.script is None:
            writes = [Write(*bind(sql, params), parsed) for params in param_list]
            self._count = self.connection.write_many(writes) if writes else 0
            return self
        counts = []
        for params in param_list:
            self.execute(sql, params)
            counts.append(self._write.count if self._write else None)
        self._clear()
        self._count = -1 if None in counts else sum(c for c in counts if c)
        return self

    def fetchone(self) -> tuple[Any, ...] | None:
        if self._at >= len(self._rows):
            return None
        self._at += 1
        return self._rows[self._at - 1]

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        rows = self._rows[self._at : self._at + (self.arraysize if size is None else size)]
        self._at += len(rows)
        return rows

    def fetchall(self) -> list[tuple[Any, ...]]:
        rows = self._rows[self._at :]
        self._at = len(self._rows)
        return rows

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        while (row := self.fetchone()) is not None:
            yield row

    def close(self) -> None:
        self.closed = True
        self._rows = []

    def setinputsizes(self, sizes: Any) -> None:
        """PEP 249 asks for it; nothing is to be prepared."""

    def setoutputsize(self, size: int, column: int | None = None) -> None:
        """PEP 249 asks for it; nothing is to be prepared."""

    def callproc(self, name: str, params: Any = None) -> None:
        raise InterfaceError("SQLite has no stored procedures.")


def _refuse_setting(parsed: Parsed) -> None:
    """Pass over a PRAGMA that sets what a batch sets anyway; refuse one that would reach into other
    connections."""
    name = parsed.words[1].upper() if len(parsed.words) > 1 else ""
    if name not in _SILENT:
        raise NotSupportedError(f"D1 shares its connections: PRAGMA {name.lower()} cannot be set.")
