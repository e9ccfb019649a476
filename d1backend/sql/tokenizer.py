"""What an SQL statement does: read or write, the tables it names, the columns it returns.

The text is split into tokens as SQLite does it; nothing is rewritten here.
"""

import re
from dataclasses import dataclass, field
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
_OPERATORS = {"AND", "OR", "NOT", "IS", "COLLATE", "LIKE", "GLOB", "BETWEEN", "IN", "ESCAPE", "MATCH", "FROM"}
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
        return self.text.upper() if self.kind == "word" else ""

    @property
    def name(self) -> str:
        """The identifier without its quotes."""
        if self.kind != "quoted":
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
    """A statement's kind ("read", "write", "schema", "pragma", "control"), verb, target table and the rest.

    `nondeterministic` marks an index on an expression, which SQLite may reject for being nondeterministic.
    """

    kind: str
    verb: str
    table: str | None
    names: frozenset[str]
    columns: tuple[Column, ...] | None
    returning_at: int | None
    words: tuple[str, ...] = field(default=())
    for_update: bool = False
    nondeterministic: bool = False

    @property
    def dropped_table(self) -> str | None:
        """The table that a DROP TABLE drops, in lower case."""
        if self.words[:2] != ("DROP", "TABLE"):
            return None
        names = [word for word in self.words[2:] if word not in ("IF", "EXISTS")]
        return names[0].lower() if names else None

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
    if first == "PRAGMA":
        return Parsed("pragma", first, None, names, None, None, words)
    if first in _CONTROL:
        return Parsed("control", first, None, names, None, None, words)
    main = _main_verb(tokens)
    if main is None:
        nondeterministic = "INDEX" in words[:3] and any(t.depth > 1 for t in tokens)
        return Parsed("schema", first, None, names, None, None, words, nondeterministic=nondeterministic)
    verb = tokens[main].upper
    if verb in _READS:
        columns = None if first == "EXPLAIN" else _columns(sql, tokens, main + 1, verb)
        locking = [t.upper for t in tokens[-2:]] == ["FOR", "UPDATE"]
        if locking:
            columns = _columns(sql, tokens[:-2], main + 1, verb)
        return Parsed(
            "read", first if first == "EXPLAIN" else verb, None, names, columns, None, words, locking
        )
    table = _target(tokens, main, verb)
    returning = next((i for i, t in enumerate(tokens) if t.upper == "RETURNING" and t.depth == 0), None)
    if returning is None:
        return Parsed("write", verb, table, names, None, None, words)
    columns = _columns(sql, tokens, returning + 1, "RETURNING")
    return Parsed("write", verb, table, names, columns, tokens[returning].start, words)


def _size(sql: str, parsed: Parsed) -> int:
    columns = [text for column in parsed.columns or () for text in (column.sql, column.name or "")]
    # A column is an object of its own.
    objects = 600 + 60 * len(columns)
    return objects + size_of_texts([sql, *parsed.words, *parsed.names, *columns])


# Parses a statement as _parse() does, and keeps what was parsed last; `parse.uncached` keeps nothing.
parse: Final = ByteCache(_parse, _size, _CACHE_BYTES)


def _main_verb(tokens: list[Token]) -> int | None:
    first = tokens[0].upper if tokens else ""
    if first in _READS or first in _WRITES:
        return 0
    if first == "WITH":
        return next(
            (i for i, t in enumerate(tokens) if t.depth == 0 and t.upper in _READS | _WRITES - {"REPLACE"}),
            None,
        )
    return None


def _target(tokens: list[Token], main: int, verb: str) -> str | None:
    marker = {"INSERT": "INTO", "REPLACE": "INTO", "DELETE": "FROM", "UPDATE": "UPDATE"}[verb]
    at = next((i for i in range(main, len(tokens)) if tokens[i].upper == marker), None)
    if at is None:
        return None
    at += 1
    if verb == "UPDATE" and tokens[at].upper == "OR":
        at += 2
    if at + 2 < len(tokens) and tokens[at + 1].text == ".":
        at += 2
    return tokens[at].name if at < len(tokens) else None


def _columns(sql: str, tokens: list[Token], start: int, verb: str) -> tuple[Column, ...]:
    if verb == "VALUES":
        count = 1 + sum(t.text == "," and t.depth == 1 for t in _first_row(tokens, start))
        return tuple(Column("", f"column{i + 1}") for i in range(count))
    if start < len(tokens) and tokens[start].upper in ("DISTINCT", "ALL"):
        start += 1
    depth = tokens[start].depth if start < len(tokens) else 0
    items: list[list[Token]] = [[]]
    end = tokens[-1].start + len(tokens[-1].text)
    for token in tokens[start:]:
        if token.depth <= depth and verb == "SELECT" and token.upper in _AFTER_COLUMNS and items[-1]:
            end = token.start
            break
        if token.text == "," and token.depth == depth:
            items.append([])
        else:
            items[-1].append(token)
    bounds = [item[0].start for item in items if item]
    return tuple(
        _column(sql, item, nxt) for item, nxt in zip((i for i in items if i), [*bounds[1:], end], strict=True)
    )


def _may_precede_alias(token: Token) -> bool:
    return token.kind == "word" and token.upper not in _OPERATORS


def _first_row(tokens: list[Token], start: int) -> list[Token]:
    row = []
    for token in tokens[start:]:
        if token.text == ")" and token.depth == 0:
            break
        row.append(token)
    return row


def _column(sql: str, item: list[Token], until: int) -> Column:
    text = sql[item[0].start : until].strip().rstrip(",").strip()
    last = item[-1]
    if last.text == "*" and (len(item) == 1 or item[-2].text == "."):
        return Column(text, None)
    if last.kind not in ("word", "quoted") or last.upper == "END":
        return Column(text, text)
    if len(item) == 1 or item[-2].text == ".":
        return Column(text, last.name)
    if item[-2].upper == "AS":
        return Column(sql[item[0].start : item[-2].start].strip(), last.name)
    if (
        item[-2].text == ")"
        or item[-2].kind in ("quoted", "number", "string")
        or _may_precede_alias(item[-2])
    ):
        return Column(sql[item[0].start : last.start].strip(), last.name)
    return Column(text, text)
