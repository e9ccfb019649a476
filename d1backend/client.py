"""`manage.py dbshell`: a prompt for SQL over D1's API."""

import sqlite3
import sys
from collections.abc import Iterable

from django.db.backends.base.client import BaseDatabaseClient
from django.db.utils import Error

_PROMPT, _MORE = "d1> ", "...> "


class DatabaseClient(BaseDatabaseClient):
    executable_name = "d1"

    def runshell(self, parameters: Iterable[str]) -> None:
        """Run statements and print what they return, until `.quit` or the end of the input.

        A semicolon ends a statement, `END;` a trigger.
        """
        interactive = sys.stdin.isatty()
        pending = ""
        while (line := self._line(interactive, _MORE if pending.strip() else _PROMPT)) is not None:
            if not pending.strip() and line.strip() in (".quit", ".exit"):
                break
            pending += line + "\n"
            if sqlite3.complete_statement(pending):
                self._run(pending)
                pending = ""
        if pending.strip():
            self._run(pending)

    def _line(self, interactive: bool, prompt: str) -> str | None:
        try:
            return input(prompt if interactive else "")
        except EOFError:
            return None

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
