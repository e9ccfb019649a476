"""Which rows a transaction knows to be there, or not to be there, so that a row count need not be rehearsed.

What is known was read, or follows from the script. The commit checks every row count that was returned, so a mistake
here, or a change by another client, fails the commit and nothing is written.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from d1backend.sql.triggers import LostColumns
from d1backend.sql.values import Row, Value, literal, quote_name
from d1backend.transaction.hints import KnownRow

# How many keys on each side the second question about a table asks for, and at most; the first asks for one.
_SECOND, _GROWTH, _MOST = 30, 8, 1000
# Keys so close to each other are taken for a loop over rows.
_NEAR = 100

# A table in lower case and its key column.
KeyColumn = tuple[str, str]


@dataclass
class _CommittedKeys:
    """Keys of a table that D1 was asked about: all integers from `low` to `high` (None: without end), and texts."""

    low: int | None = 0
    high: int | None = -1
    keys: set[Value] = field(default_factory=set)
    absent: set[Value] = field(default_factory=set)
    empty: bool = False
    questions: int = 0
    last: Value = None

    def has(self, key: Value) -> bool | None:
        if key in self.keys:
            return True
        if self.empty or key in self.absent:
            return False
        if not isinstance(key, int):
            return None
        above = self.low is None or self.low <= key
        below = self.high is None or key <= self.high
        return False if above and below else None

    def window(self, key: int) -> tuple[int, int]:
        """How many keys below and above the next question asks for."""
        if self.questions == 0 or not isinstance(self.last, int):
            return 1, 1
        size = min(_MOST, _SECOND * _GROWTH ** (self.questions - 1))
        if abs(key - self.last) <= _NEAR:
            size = _MOST
        return (1, size) if key > self.last else (size, 1)


class KnownRows:
    """What one transaction knows. Rolling back to a savepoint forgets the rows that were noted since."""

    def __init__(self) -> None:
        self._present: dict[KeyColumn, set[Value]] = {}
        self._committed: dict[KeyColumn, _CommittedKeys] = {}
        # Tables in which the script may have created or deleted any row; None stands for all tables.
        self._unclear: set[str | None] = set()
        self._added: list[KnownRow] = []

    def __len__(self) -> int:
        """How many rows were noted so far; for forget_since()."""
        return len(self._added)

    def add(self, rows: Iterable[KnownRow]) -> None:
        for row in rows:
            table, column, value = row
            present = self._present.setdefault((table, column), set())
            if value not in present:
                present.add(value)
                self._added.append(row)

    def forget_since(self, length: int) -> None:
        """Forget what was added after the first `length` rows."""
        for table, column, value in self._added[length:]:
            self._present.get((table, column), set()).discard(value)
        del self._added[length:]

    def forget_tables(self, tables: Iterable[str]) -> None:
        """A statement may have deleted rows of these tables, or changed their keys."""
        names = set(tables)
        for known in (self._present, self._committed):
            for key_column in [k for k in known if k[0] in names]:
                del known[key_column]
        self._unclear |= names

    def forget_columns(self, lost: Mapping[str, LostColumns]) -> None:
        """A trigger may have taken away the values of these columns, by table; None: whole rows."""
        for known in (self._present, self._committed):
            for key_column in [k for k in known if k[0] in lost]:
                columns = lost[key_column[0]]
                if columns is None or key_column[1].lower() in columns:
                    del known[key_column]
        self._unclear |= lost.keys()

    def forget_absent(self, tables: Iterable[str]) -> None:
        """A statement may have created rows of these tables."""
        names = set(tables)
        for key_column in [k for k in self._committed if k[0] in names]:
            del self._committed[key_column]
        self._unclear |= names

    def forget_all(self) -> None:
        self._present.clear()
        self._committed.clear()
        self._unclear.add(None)

    def count(self, table: str, column: str, keys: Sequence[Value]) -> int | None:
        """How many of these keys are there; None when that is not known."""
        key_column = (table.lower(), column)
        present = self._present.get(key_column, set())
        committed = self._committed.get(key_column)
        total = 0
        for key in keys:
            there = True if key in present else committed.has(key) if committed else None
            if there is None:
                return None
            total += there
        return total

    # Questions to D1

    def question(self, table: str, column: str, key: Value) -> str | None:
        """A SELECT about a key and those near it, for learn(); None when D1's rows are not those of the transaction."""
        if not self._unclear.isdisjoint((table.lower(), None)) or not isinstance(key, int | str):
            return None
        committed = self._committed.setdefault((table.lower(), column), _CommittedKeys())
        name, source = quote_name(column), quote_name(table)
        if isinstance(key, str):
            equal = f"(SELECT count(*) FROM {source} WHERE {name} = {literal(key)})"
            return f"SELECT {equal}, NOT EXISTS (SELECT 1 FROM {source})"
        below, above = committed.window(key)
        return (
            f"SELECT * FROM (SELECT {name}, 1 FROM {source} WHERE {name} >= {key} ORDER BY {name} LIMIT {above}) "
            f"UNION ALL SELECT * FROM "
            f"(SELECT {name}, 0 FROM {source} WHERE {name} < {key} ORDER BY {name} DESC LIMIT {below})"
        )

    def learn(self, table: str, column: str, key: Value, rows: Sequence[Row]) -> None:
        """Note the answer to question()."""
        committed = self._committed[table.lower(), column]
        if isinstance(key, int):
            _learn_integers(committed, key, rows)
        else:
            count, committed.empty = rows[0][0], bool(rows[0][1])
            (committed.keys if count else committed.absent).add(key)
        committed.questions += 1
        committed.last = key


def _learn_integers(committed: _CommittedKeys, key: int, rows: Sequence[Row]) -> None:
    below, above = committed.window(key)
    up = [value for value, is_above in rows if is_above]
    down = [value for value, is_above in rows if not is_above]
    low = down[-1] if len(down) == below else None
    high = up[-1] if len(up) == above else None
    touches = committed.questions and (
        (low is None or committed.high is None or low <= committed.high)
        and (high is None or committed.low is None or committed.low <= high)
    )
    if touches:
        low = None if low is None or committed.low is None else min(low, committed.low)
        high = None if high is None or committed.high is None else max(high, committed.high)
    else:
        committed.keys.clear()
    committed.low, committed.high = low, high
    committed.keys.update(up, down)
