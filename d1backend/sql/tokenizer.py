"""What an SQL statement does: read or write, the tables it names, the columns it returns.

The text is split into tokens as SQLite does it; nothing is rewritten here.
"""

import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from d1backend.sql.parse_cache import ByteCache, size_of_texts

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<string>'(?:[^']|'')*'?)
      | (?P<quoted>"(?:[^"]|"")*"?|`(?:[^`]|``)*`?|\[[^\]]*\]?)
      | (?P<word>[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*)
      | (?P<number>\d[\w.]*)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
# What the results of parse() may take.
_CACHE_BYTES = 8_000_000
_READS = {"SELECT", "VALUES", "EXPLAIN"}
_WRITES = {"INSERT", "REPLACE", "UPDATE", "DELETE"}
_CONTROL = {"BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE"}
_BEFORE_NAME = {
    "AND",
    "OR",
    "NOT",
    "IS",
    "COLLATE",
    "LIKE",
    "GLOB",
    "REGEXP",
    "BETWEEN",
    "IN",
    "ESCAPE",
    "MATCH",
    "FROM",
    "OVER",
}
_ENDS_EXPRESSION = {"END", "NULL", "ISNULL", "NOTNULL"}
_AFTER_COLUMNS = {
    "FROM",
    "WHERE",
    "GROUP",
    "HAVING",
    "WINDOW",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "ORDER",
    "LIMIT",
}


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int
    depth: int

    @property
    def upper(self) -> str:
        """A keyword in capitals. Keywords are ASCII: Python would make two letters of one ß, and SET of a name ſet."""
        return self.text.upper() if self.kind == "word" and self.text.isascii() else ""

    @property
    def name(self) -> str:
        """The identifier without its quotes; SQLite takes a string for one where it expects a name."""
        if self.kind not in ("quoted", "string"):
            return self.text
        quote = self.text[-1]
        return self.text[1:-1].replace(quote * 2, quote)


@dataclass(frozen=True)
class Column:
    """One column of a result: the expression's text, and the name SQLite gives it (None for a star)."""

    sql: str
    name: str | None


@dataclass(frozen=True)
class Parsed:
    """A statement's kind ("read", "write", "schema", "pragma", "control", "empty"), verb, target table and the rest.

    `end` is where its text ends, before semicolons, comments and FOR UPDATE.
    `nondeterministic` marks an index on an expression, which SQLite may reject for being nondeterministic.
    """

    kind: str
    verb: str
    table: str | None
    names: frozenset[str]
    columns: tuple[Column, ...] | None
    returning_at: int | None
    words: tuple[str, ...] = field(default=())
    end: int = 0
    for_update: bool = False
    nondeterministic: bool = False

    @property
    def dropped_table(self) -> str | None:
        """The table that a DROP TABLE drops, in lower case."""
        if self.words[:2] != ("DROP", "TABLE"):
            return None
        names = [word for word in self.words[2:] if word not in ("IF", "EXISTS")]
        return names[0].lower() if names else None

    @cached_property
    def without_returning(self) -> "Parsed":
        """The statement without its RETURNING."""
        return replace(self, columns=None, returning_at=None)

    @property
    def starred(self) -> bool:
        return self.columns is None or any(c.name is None for c in self.columns)


class SeveralStatementsError(ValueError):
    pass


def tokens_of(sql: str) -> list[Token]:
    tokens, depth = [], 0
    for match in _TOKEN.finditer(sql):
        kind, text = match.lastgroup or "other", match[0]
        if kind == "space":
            continue
        if text == ")":
            depth -= 1
        tokens.append(Token(kind, text, match.start(), depth))
        if text == "(":
            depth += 1
    return tokens


def _parse(sql: str) -> Parsed:
    """Parse a statement.

    Raises SeveralStatementsError when the text holds more than one.
    """
    tokens = tokens_of(sql)
    while tokens and tokens[-1].text == ";":
        tokens.pop()
    words = tuple(t.upper or t.name for t in tokens[:6])
    first = words[0] if words else ""
    names = frozenset(t.name.lower() for t in tokens if t.kind in ("word", "quoted"))
    trigger = first == "CREATE" and "TRIGGER" in words[:3]
    if not trigger and any(t.text == ";" for t in tokens):
        raise SeveralStatementsError("You can only execute one statement at a time.")
    parsed = Parsed("schema", first, None, names, None, None, words, end_of(tokens))
    if not tokens:
        return replace(parsed, kind="empty")
    if first == "PRAGMA":
        return replace(parsed, kind="pragma")
    if first in _CONTROL:
        return replace(parsed, kind="control")
    main = verb_at(tokens)
    if main is None:
        nondeterministic = "INDEX" in words[:3] and any(t.depth > 1 for t in tokens)
        return replace(parsed, nondeterministic=nondeterministic)
    verb = tokens[main].upper
    if verb in _READS:
        locking = [t.upper for t in tokens[-2:]] == ["FOR", "UPDATE"]
        if locking:
            tokens = tokens[:-2]
        explains = first == "EXPLAIN"
        return replace(
            parsed,
            kind="read",
            verb=first if explains else verb,
            columns=None if explains else _columns(sql, tokens, main + 1, verb),
            end=end_of(tokens),
            for_update=locking,
        )
    table = target_of(tokens, main, verb)
    returning = next((i for i, t in enumerate(tokens) if t.upper == "RETURNING" and t.depth == 0), None)
    parsed = replace(parsed, kind="write", verb=verb, table=table)
    if returning is None:
        return parsed
    columns = _columns(sql, tokens, returning + 1, "RETURNING")
    return replace(parsed, columns=columns, returning_at=tokens[returning].start)


def _size(sql: str, parsed: Parsed) -> int:
    columns = [text for column in parsed.columns or () for text in (column.sql, column.name or "")]
    # A column is an object of its own.
    objects = 600 + 60 * len(columns)
    return objects + size_of_texts([sql, *parsed.words, *parsed.names, *columns])


# Parses a statement as _parse() does, and keeps what was parsed last; `parse.uncached` keeps nothing.
parse: Final = ByteCache(_parse, _size, _CACHE_BYTES)


def end_of(tokens: list[Token]) -> int:
    """Where the text of these tokens ends."""
    return tokens[-1].start + len(tokens[-1].text) if tokens else 0


def verb_at(tokens: list[Token]) -> int | None:
    """The index of the statement's verb, behind its common table expressions."""
    first = tokens[0].upper if tokens else ""
    if first in _READS or first in _WRITES:
        return 0
    if first == "WITH":
        return next(
            (i for i, t in enumerate(tokens) if t.depth == 0 and t.upper in _READS | _WRITES - {"REPLACE"}),
            None,
        )
    return None


def target_of(tokens: list[Token], main: int, verb: str) -> str | None:
    """The table that a write with this verb, at `main`, writes."""
    marker = {"INSERT": "INTO", "REPLACE": "INTO", "DELETE": "FROM", "UPDATE": "UPDATE"}[verb]
    at = next((i for i in range(main, len(tokens)) if tokens[i].upper == marker), None)
    if at is None:
        return None
    at += 1
    if verb == "UPDATE" and at < len(tokens) and tokens[at].upper == "OR":
        at += 2
    if at + 2 < len(tokens) and tokens[at + 1].text == ".":
        at += 2
    return tokens[at].name if at < len(tokens) else None


def _columns(sql: str, tokens: list[Token], start: int, verb: str) -> tuple[Column, ...]:
    if verb == "VALUES":
        count = 1 + sum(t.text == "," and t.depth == 1 for t in _first_row(tokens, start))
        return tuple(Column("", f"column{i + 1}") for i in range(count))
    items = result_items(tokens, first_item(tokens, start), clauses=verb == "SELECT")
    return tuple(_column(sql, item, until) for item, until in items)


def first_item(tokens: list[Token], start: int) -> int:
    """The index of the first result column behind a verb."""
    return start + (start < len(tokens) and tokens[start].upper in ("DISTINCT", "ALL"))


def result_items(tokens: list[Token], start: int, *, clauses: bool = True) -> list[tuple[list[Token], int]]:
    """The result columns as tokens, each with where its text ends; `clauses`: a FROM or another may follow."""
    depth = tokens[start].depth if start < len(tokens) else 0
    items: list[tuple[list[Token], int]] = []
    item: list[Token] = []
    end = end_of(tokens)
    for token in tokens[start:]:
        if token.depth <= depth and clauses and token.upper in _AFTER_COLUMNS and item:
            end = token.start
            break
        if token.text == "," and token.depth == depth:
            items.append((item, token.start))
            item = []
        else:
            item.append(token)
    items.append((item, end))
    return [(item, until) for item, until in items if item]


def _first_row(tokens: list[Token], start: int) -> list[Token]:
    row = []
    for token in tokens[start:]:
        if token.text == ")" and token.depth == 0:
            break
        row.append(token)
    return row


def _column(sql: str, item: list[Token], until: int) -> Column:
    text = sql[item[0].start : until].strip()
    if item[-1].text == "*" and (len(item) == 1 or item[-2].text == "."):
        return Column(text, None)
    expression, alias = split_alias(item)
    if alias is not None:
        return Column(sql[item[0].start : end_of(expression)], alias)
    if item[-1].kind in ("word", "quoted") and (len(item) == 1 or item[-2].text == "."):
        return Column(sql[item[0].start : end_of(item)], item[-1].name)
    return Column(text, text)


def split_alias(item: list[Token]) -> tuple[list[Token], str | None]:
    """The tokens of a result column without its alias, and the alias."""
    if len(item) < 2:
        return item, None
    before, last = item[-2], item[-1]
    if before.upper == "AS" and last.kind in ("word", "quoted", "string"):
        return item[:-2], last.name
    if last.kind not in ("word", "quoted") or last.upper in _ENDS_EXPRESSION:
        return item, None
    ends = before.text == ")" or before.kind in ("quoted", "number", "string")
    if ends or (before.kind == "word" and before.upper not in _BEFORE_NAME):
        return item[:-1], last.name
    return item, None
