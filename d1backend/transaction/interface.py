"""What cursors, compilers and gather() need of D1's connection; connection.py has it."""

from contextlib import AbstractContextManager
from typing import Protocol

from d1backend.sql.tokenizer import Parsed
from d1backend.sql.values import Row, Value
from d1backend.transaction.hints import Hint
from d1backend.transaction.script import Script, Write
from d1backend.transaction.session import NamedRows


class D1Connection(Protocol):
    closed: bool
    # The transaction that is open, if one is.
    script: Script | None
    # Turns this backend's errors into Django's, where Django's cursor does not.
    translate_errors: AbstractContextManager[None]

    @property
    def identity(self) -> str: ...

    def read_rows(self, parsed: Parsed, sql: str, bound: list[str]) -> NamedRows: ...

    def read_for_update(self, parsed: Parsed, sql: str, bound: list[str]) -> NamedRows: ...

    def convert_rows(self, parsed: Parsed, sql: str, names: list[str], rows: list[Row]) -> list[Row]: ...

    def returned_names(self, parsed: Parsed, sql: str) -> list[str]: ...

    def write(
        self, parsed: Parsed, sql: str, bound: list[str], hint: Hint = ...
    ) -> tuple[Write, list[Row]]: ...

    def write_many(self, writes: list[Write]) -> int: ...

    def observe_count(self, write: Write) -> int: ...

    def observe_last_id(self, write: Write) -> int | None: ...

    def count_rows(self, table: str, column: str, values: list[Value], *, ask: bool) -> int | None: ...

    def new_keys(self, table: str, column: str, count: int) -> list[int] | None: ...

    def control(self, parsed: Parsed) -> None: ...
