"""`manage.py dbshell`: a prompt for SQL over D1's API."""

import sys
from typing import Any

from django.db.backends.base.client import BaseDatabaseClient
from django.db.utils import Error

_PROMPT, _MORE = "d1> ", "...> "


class DatabaseClient(BaseDatabaseClient):
    executable_name = "d1"

    def runshell(self, parameters: list[str]) -> None:
        """Read statements, each ended by a semicolon, and print what they return; `.quit` or end of input leaves."""
        interactive = sys.stdin.isatty()
        pending = ""
        for line in self._lines(interactive, lambda: _MORE if pending.strip() else _PROMPT):
            if not pending.strip() and line.strip() in (".quit", ".exit"):
                break
            pending += line + "\n"
            if pending.rstrip().endswith(";"):
                self._run(pending)
                pending = ""
        if pending.strip():
            self._run(pending)

    def _lines(self, interactive: bool, prompt: Any) -> Any:
        while True:
            try:
                yield input(prompt() if interactive else "")
            except EOFError:
                return

    def _run(self, sql: str) -> None:
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(sql)
                if cursor.description:
                    self._print("|".join(column[0] for column in cursor.description))
                    for row in cursor:
                        self._print("|".join("" if value is None else str(value) for value in row))
                elif cursor.rowcount >= 0:
                    self._print(f"{cursor.rowcount} rows changed")
        except Error as error:
            self._print(f"Error: {error}")

    def _print(self, text: str) -> None:
        sys.stdout.write(text + "\n")
