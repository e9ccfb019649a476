"""Which tables an error is about, in words at the end of its message."""

from collections.abc import Iterable

from d1backend.sql.tokenizer import tokens_of

_BEFORE_A_TABLE = {"FROM", "JOIN", "INTO", "UPDATE", "TABLE"}
_BETWEEN = {"IF", "NOT", "EXISTS", "OR", "ABORT", "REPLACE", "IGNORE", "FAIL", "ROLLBACK"}
_OURS = ("_d1", "sqlite_", "pragma_")
_MOST = 5


def tables_of(statements: Iterable[str]) -> list[str]:
    """The tables that statements name, each once, in their order; not those that D1 and this backend keep."""
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
            if not function and tokens[at].upper != "SET" and not name.lower().startswith(_OURS):
                found[name] = None
    return list(found)


def with_tables(message: str, statements: Iterable[str]) -> str:
    """The message, with the tables of its statements unless it names one of them already."""
    tables = tables_of(statements)
    if not tables or any(table in message for table in tables):
        return message
    rest = f" and {len(tables) - _MOST} more" if len(tables) > _MOST else ""
    return f"{message} (tables: {', '.join(tables[:_MOST])}{rest})"
