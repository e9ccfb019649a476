"""What D1's error messages mean, and the tables they are about. No other module reads them.

SQLite's errors end with its result code, after everything that an application may have named or written (tables,
columns, constraints, the text of a RAISE). So the code at the end is read first, and a message that has one is never
taken for an outage because of its words. Codes: https://www.sqlite.org/rescode.html
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from d1backend.errors import (
    APPLIED,
    CARRIED,
    CASCADES,
    CHANGED,
    OVERTAKEN,
    STALE,
    UNMET,
    AlreadyAppliedError,
    CarriedResult,
    ConditionFailed,
    DataError,
    IntegrityError,
    MissingError,
    NotSupportedError,
    OperationalError,
    OvertakenError,
    ProgrammingError,
    SchemaChangedError,
    SerializationFailure,
    UniqueError,
)
from d1backend.sql.tokenizer import tokens_of


@dataclass(frozen=True)
class Outage:
    """A passing state of D1. Its message begins with `words`; `may_have_run` says whether a write may have run."""

    words: str
    may_have_run: bool


# In the order of "Debug D1", https://developers.cloudflare.com/d1/observability/debug-d1/#error-list. By that page the
# query waited in a queue for two of them, and could not reach the database for one: these did not run.
OUTAGES = (
    Outage("D1 DB reset because its code was updated", may_have_run=True),
    Outage("Internal error while starting up D1 DB storage caused object to be reset", may_have_run=True),
    Outage("Network connection lost", may_have_run=True),
    Outage("Internal error in D1 DB storage caused object to be reset", may_have_run=True),
    Outage("Cannot resolve D1 DB due to transient issue on remote node", may_have_run=False),
    Outage("Can't read from request stream because client disconnected", may_have_run=True),
    Outage("D1 DB storage operation exceeded timeout which caused object to be reset", may_have_run=True),
    Outage("D1 DB is overloaded. Requests queued for too long", may_have_run=False),
    Outage("D1 DB is overloaded. Too many requests queued", may_have_run=False),
    Outage("D1 DB's isolate exceeded its memory limit and was reset", may_have_run=True),
    Outage("D1 DB exceeded its CPU time limit and was reset", may_have_run=True),
    # Not on that page. An export blocks other requests until it is done:
    # https://developers.cloudflare.com/d1/best-practices/import-export-data/
    Outage("Currently processing a long-running export", may_have_run=False),
    # What workerd says instead of an internal error, "internal error; reference = …" (observed).
    Outage("internal error", may_have_run=True),
)
# SQLite waited for a lock in vain; the code does not say whether that was at the commit.
_LOCKED = {"SQLITE_BUSY", "SQLITE_LOCKED"}

_PREFIX = re.compile(r"(?:D1_[A-Z_]*ERROR: |Error: )+")
_ENDING = re.compile(
    r"(?: at offset \d+)?: (?P<code>SQLITE_[A-Z]+)(?: \(extended: (?P<extended>SQLITE_[A-Z_]+)\))?\Z"
)
_CARRIED = re.compile(rf"bad JSON path: '{CARRIED}(.*)'", re.DOTALL)
_APPLIED = re.compile(rf"bad JSON path: '{APPLIED} (-?\d+) (-?\d+)'")
_OVERTAKEN = re.compile(rf"bad JSON path: '{OVERTAKEN} (\d+)'")
_CHANGED = f"bad JSON path: '{CHANGED}'"
_STALE = re.compile(
    rf"bad JSON path: '(?P<why>{STALE}|{CASCADES}|{UNMET}) (?P<what>.*?)@(?P<version>\w*)'", re.DOTALL
)
_MISSING = re.compile(r"no such (?P<kind>table|column): (?P<name>.*)", re.DOTALL)
_UNIQUE = "UNIQUE constraint failed: "
# https://www.sqlite.org/src/file/src/vdbe.c (OP_Halt) and sqlite3UniqueConstraint() word them so.
_CONSTRAINTS = tuple(f"{kind} constraint failed" for kind in ("UNIQUE", "NOT NULL", "CHECK", "FOREIGN KEY"))
_OF_UNIQUE = {None, "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_ROWID"}

# The words before the name of a table, and those that may stand between.
_BEFORE_A_TABLE = {"FROM", "JOIN", "INTO", "UPDATE", "TABLE"}
_BETWEEN = {"IF", "NOT", "EXISTS", "OR", "ABORT", "REPLACE", "IGNORE", "FAIL", "ROLLBACK"}
_INTERNAL = ("_d1", "sqlite_", "pragma_")
_MOST_TABLES = 5


@dataclass(frozen=True)
class _Message:
    """A message without D1's prefix: SQLite's text, and its code and extended code if D1 wrote them."""

    text: str
    code: str | None
    extended: str | None


def _parsed(message: str) -> _Message:
    prefix = _PREFIX.match(message)
    start = prefix.end() if prefix else 0
    ending = _ENDING.search(message, start)
    if ending is None:
        return _Message(message[start:], None, None)
    return _Message(message[start : ending.start()], ending["code"], ending["extended"])


def tidy(message: str) -> str:
    """D1's message without its prefix and the codes at its end, as SQLite wrote it."""
    return _parsed(message).text


def may_have_run(message: str) -> bool | None:
    """For the message of an outage, whether the request may have run; None for any other message."""
    parsed = _parsed(message)
    if parsed.code is not None:
        return True if parsed.code in _LOCKED else None
    # D1 runs in a Durable Object, and some messages name that instead:
    # https://developers.cloudflare.com/durable-objects/observability/troubleshooting/
    text = parsed.text.replace("Durable Object", "D1 DB", 1).lower()
    return next((outage.may_have_run for outage in OUTAGES if text.startswith(outage.words.lower())), None)


def error_of(message: str) -> Exception:
    """The exception for an error that D1 reports about a statement or a batch."""
    parsed = _parsed(message)
    return _on_purpose(parsed.text) or _by_code(parsed)


def _on_purpose(text: str) -> Exception | None:
    """The exception for a failure that this backend's own SQL caused."""
    if found := _CARRIED.match(text):
        return CarriedResult(found[1].replace("''", "'"))
    if found := _APPLIED.match(text):
        return AlreadyAppliedError(int(found[1]), int(found[2]))
    if found := _OVERTAKEN.match(text):
        return OvertakenError(beyond=found[1] != "0")
    if text.startswith(_CHANGED):
        return SchemaChangedError()
    if found := _STALE.match(text):
        if found["why"] == CASCADES:
            return NotSupportedError(
                f"Table {found['what']} cannot be remade: another table refers to it with ON DELETE CASCADE, "
                "SET NULL or SET DEFAULT, and dropping it would change that table's rows."
            )
        if found["why"] == UNMET:
            return ConditionFailed(f"This is no longer so: {found['what']}. Nothing was written.")
        error = SerializationFailure(
            f"Rows of table {found['what']} changed while this transaction was under way; nothing was written. "
            "Run it again."
        )
        error.schema_version = found["version"] or None
        return error
    return None


def _by_code(message: _Message) -> Exception:
    text = message.text
    match message.code:
        case "SQLITE_CONSTRAINT":
            return _of_constraint(message)
        case "SQLITE_AUTH":
            return NotSupportedError(text)
        case "SQLITE_TOOBIG" | "SQLITE_MISMATCH":
            return DataError(text)
        case "SQLITE_RANGE":
            return ProgrammingError(text)
        case "SQLITE_ERROR":
            return _of_statement(text)
        case None:
            return _without_code(message)
    return OperationalError(text)


def _without_code(message: _Message) -> Exception:
    """A proxy may have cut the code off; then the beginning of the text decides."""
    text = message.text
    if text.startswith(_CONSTRAINTS):
        return _of_constraint(message)
    if text.startswith(("Wrong number of parameter", "No SQL statements")):
        return ProgrammingError(text)
    return _of_statement(text)


def _of_constraint(message: _Message) -> IntegrityError:
    if message.extended not in _OF_UNIQUE or not message.text.startswith(_UNIQUE):
        return IntegrityError(message.text)
    error = UniqueError(message.text)
    error.columns = message.text.removeprefix(_UNIQUE)
    return error


def _of_statement(text: str) -> Exception:
    """SQLITE_ERROR covers many errors; the beginning of the text distinguishes them."""
    if found := _MISSING.match(text):
        error = MissingError(text)
        error.table = found["name"] if found["kind"] == "table" else None
        return error
    if text.startswith("not authorized"):
        return NotSupportedError(text)
    if text == "integer overflow":
        return DataError(text)
    return OperationalError(text)


def tables_of(statements: Iterable[str]) -> list[str]:
    """The tables that statements name, each once and in their order, without those of D1 and of this backend."""
    found: dict[str, None] = {}
    for sql in statements:
        tokens = tokens_of(sql)
        for i, token in enumerate(tokens):
            if token.upper not in _BEFORE_A_TABLE:
                continue
            at = i + 1
            while at < len(tokens) and tokens[at].upper in _BETWEEN:
                at += 1
            if at >= len(tokens) or tokens[at].kind not in ("word", "quoted"):
                continue
            name, called = tokens[at].name, at + 1 < len(tokens) and tokens[at + 1].text == "("
            function = called and token.upper in ("FROM", "JOIN")
            if not function and tokens[at].upper != "SET" and not name.lower().startswith(_INTERNAL):
                found[name] = None
    return list(found)


def with_tables(message: str, statements: Iterable[str]) -> str:
    """A message with the tables of its statements at the end, unless it names one of them already."""
    tables = tables_of(statements)
    if not tables or any(table in message for table in tables):
        return message
    rest = f" and {len(tables) - _MOST_TABLES} more" if len(tables) > _MOST_TABLES else ""
    return f"{message} (tables: {', '.join(tables[:_MOST_TABLES])}{rest})"
