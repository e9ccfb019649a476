"""The seed's tables, which are only read: those of a SQLite file, or of a D1 database, copied to a file first."""

import json
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from django.db import Error, connection

from core.scratch import scratch_folder
from d1backend import errors
from d1backend.creation import id_of
from d1backend.options import settings_of
from d1backend.protocol import encoding
from d1backend.protocol.api import Api
from d1backend.sql.values import quote_name
from operations.seed import SeedError

Value = str | int | float | bytes | None
Row = dict[str, Value]  # by the name of the column in lower case

D1, SQLITE = "d1:", "sqlite:///"
D1_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
CELLS = 40_000  # of one answer of D1
# Tables whose rows have rowids, which views, WITHOUT ROWID tables and parts of full-text indexes do not.
SCHEMA = (
    "SELECT t.name, p.name FROM pragma_table_list AS t, pragma_table_xinfo(t.name) AS p WHERE t.schema = 'main' "
    "AND p.hidden <> 1 AND t.type = 'table' AND NOT t.wr AND t.name NOT GLOB 'sqlite_*' AND t.name NOT GLOB '_cf_*' "
    "ORDER BY t.name, p.cid"
)
OTHERS = (
    "SELECT name, CASE type WHEN 'view' THEN 'a view' ELSE 'a table WITHOUT ROWID' END FROM pragma_table_list "
    "WHERE schema = 'main' AND (type = 'view' OR type = 'table' AND wr) ORDER BY name"
)
SEQUENCES = "SELECT name, seq FROM sqlite_sequence"
HOW_TO_NAME = (
    "Name the seed's database as --from sqlite:////path/of/a/file.sqlite3 or as --from d1:DATABASE_ID."
)
MAKE_ANOTHER = (
    "The seed's database stays as it is, so the gallery needs one of its own: make a new one (`npx wrangler d1 create "
    "gallery`, or another file), name it in CLOUDFLARE_D1_DATABASE_ID (or DATABASE_URL), and run `manage.py migrate`."
)


@dataclass
class Source:
    """The seed's tables in a file, as they were at one moment."""

    name: str
    connection: sqlite3.Connection
    tables: dict[str, list[str]]  # the columns of each
    others: dict[str, str]  # what else has rows, and what it is

    def count(self, table: str) -> int:
        found: int = self.connection.execute(f"SELECT count(*) FROM {quote_name(table)}").fetchone()[0]  # noqa: S608
        return found

    def rows(self, table: str) -> Iterator[tuple[int, Row]]:
        """The rows of a table with their rowids, in the order of these."""
        columns = self.tables[table]
        names = ", ".join(map(quote_name, columns))
        select = f"SELECT rowid, {names} FROM {quote_name(table)} ORDER BY rowid"  # noqa: S608 – quoted names
        keys = [column.lower() for column in columns]
        for rowid, *values in self.connection.execute(select):
            yield rowid, dict(zip(keys, values, strict=True))

    def sequences(self) -> dict[str, int]:
        """The last id that each table has given, also those of deleted rows; nothing where the seed notes none."""
        with suppress(sqlite3.OperationalError):
            found = self.connection.execute(SEQUENCES).fetchall()
            return {name: seq for name, seq in found if isinstance(seq, int)}
        return {}


@contextmanager
def opened(name: str) -> Iterator[Source]:
    """The source that `--from` names. Raises SeedError if it cannot be read, or is the gallery's own database."""
    try:
        if name.startswith(D1) and D1_ID.fullmatch(name.removeprefix(D1)):
            with copied(name.removeprefix(D1)) as (path, others):
                yield from reading(name, path, others)
        elif name.startswith(SQLITE) and len(name) > len(SQLITE):
            yield from reading(name, existing(name.removeprefix(SQLITE)))
        else:
            raise SeedError(HOW_TO_NAME)
    except sqlite3.Error as error:
        raise SeedError(f"{name} cannot be read as a database of SQLite: {error}.") from error


def existing(path: str) -> Path:
    """The file, which must not be the gallery's own database."""
    if not Path(path).is_file():
        more = "" if path.startswith("/") else " An absolute path has four slashes: sqlite:////path."
        raise SeedError(f"There is no file {path}.{more}")
    own = Path(str(connection.settings_dict["NAME"]))
    if connection.settings_dict["ENGINE"] != "d1backend" and own.exists() and own.samefile(path):
        raise SeedError(f"{path} is the database of this gallery itself. {MAKE_ANOTHER}")
    return Path(path)


def reading(name: str, path: Path, others: dict[str, str] | None = None) -> Iterator[Source]:
    """The source in a file; `others` are what the file was copied from has besides its tables."""
    uri = f"file:{quote(str(path.resolve()))}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as file:
        # Bytes that are no UTF-8 are shown as such, not refused.
        file.text_factory = lambda data: data.decode("utf-8", "replace")
        file.execute("BEGIN")  # all reads see the file as the first one does
        tables: dict[str, list[str]] = {}
        for table, column in file.execute(SCHEMA):
            tables.setdefault(table, []).append(column)
        yield Source(name, file, tables, dict(file.execute(OTHERS)) if others is None else others)


@contextmanager
def copied(database: str) -> Iterator[tuple[Path, dict[str, str]]]:
    """A private copy of the tables of a D1 database, and what else it has.

    The copy is deleted again: it has the hashes of passwords.

    Raises SeedError, also if rows were added or removed while they were read.
    """
    settings = connection.settings_dict
    if settings["ENGINE"] != "d1backend":
        raise SeedError(
            "This gallery is not on D1, so there is no account to read the seed's with: set CLOUDFLARE_ACCOUNT_ID, "
            "CLOUDFLARE_API_TOKEN and CLOUDFLARE_D1_DATABASE_ID, or export the seed to a file of SQLite."
        )
    api_settings = settings_of("default", settings)
    if id_of(api_settings, settings["NAME"]) == database:
        raise SeedError(f"{database} is the database of this gallery itself. {MAKE_ANOTHER}")
    with scratch_folder() as folder, closing(Api(api_settings)) as api:
        path = folder / "seed.sqlite3"
        try:
            others = copy(D1Tables(api, database), path)
        except (errors.Error, Error) as error:
            raise SeedError(f"The D1 database {database} cannot be read: {error}") from error
        yield path, others


class D1Tables:
    """Reads a D1 database through the API. Nothing here writes."""

    def __init__(self, api: Api, database: str) -> None:
        self.api, self.database = api, database

    def ask(self, *statements: str) -> list[list[list[Value]]]:
        found = self.api.batch(self.database, [(sql, []) for sql in statements])
        return [result["rows"] for result in found]

    def schema(self) -> tuple[dict[str, list[str]], dict[str, str]]:
        """The columns of each table, and what else the database has."""
        tables: dict[str, list[str]] = {}
        columns, others = self.ask(SCHEMA, OTHERS)
        for table, column in columns:
            tables.setdefault(str(table), []).append(str(column))
        return tables, {str(name): str(what) for name, what in others}

    def state(self, tables: list[str]) -> list[list[list[Value]]]:
        """The number and the highest rowid of the rows of each table."""
        return self.ask(*(f"SELECT count(*), max(rowid) FROM {quote_name(table)}" for table in tables))  # noqa: S608

    def rows(self, table: str, columns: list[str]) -> Iterator[list[tuple[Value, ...]]]:
        """The rows of a table, each after its rowid, in parts."""
        names = ", ".join(["rowid", *map(quote_name, columns)])
        most, last = max(200, CELLS // len(columns)), -(2**63)
        while True:
            part = f"SELECT {names} FROM {quote_name(table)} WHERE rowid > {last} ORDER BY rowid LIMIT {most}"  # noqa: S608
            (texts,) = self.ask(encoding.exact_rows(part, len(columns) + 1))
            rows = [encoding.row(json.loads(str(text))) for (text,) in texts]
            yield rows
            if len(rows) < most:
                return
            last = int(str(rows[-1][0]))


def copy(tables: D1Tables, path: Path) -> dict[str, str]:
    """Write the tables into a new file of SQLite, and return what else there is.

    Raises SeedError if they changed meanwhile.
    """
    schema, others = tables.schema()
    names = list(schema)
    before = tables.state(names) if names else []
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("BEGIN")
        for table, columns in schema.items():
            quoted = ", ".join(map(quote_name, columns))
            file.execute(f"CREATE TABLE {quote_name(table)} ({quoted})")
            places = ", ".join("?" * (len(columns) + 1))
            insert = f"INSERT INTO {quote_name(table)} (rowid, {quoted}) VALUES ({places})"  # noqa: S608
            for rows in tables.rows(table, columns):
                file.executemany(insert, rows)
        file.execute("COMMIT")
        if names and tables.state(names) != before:
            raise SeedError(
                "The seed changed while it was read. Stop the service that uses it, and run this again."
            )
    return others
