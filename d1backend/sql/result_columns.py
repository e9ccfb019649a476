"""The columns of a result: their names, and the types of those that come unchanged from a column of a table.

SQLite follows a column through subqueries, common table expressions and views
(https://www.sqlite.org/c3ref/column_decltype.html). D1's results say neither how a column is declared, nor, in a
rehearsal, how it is named.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from d1backend.sql.tokenizer import Token, split_alias, target_of, tokens_of

_WRITES = {"INSERT", "REPLACE", "UPDATE", "DELETE"}
_COMPOUND = {"UNION", "EXCEPT", "INTERSECT"}
_CLAUSES = {"WHERE", "GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT"}
_JOINS = {"JOIN", "LEFT", "RIGHT", "FULL", "INNER", "OUTER", "CROSS", "NATURAL"}
_AFTER_SOURCE = _JOINS | {"ON", "USING", "INDEXED", "NOT", "SET"}
_ROWID = {"rowid", "oid", "_rowid_"}


@dataclass(frozen=True)
class ResultColumn:
    """A column's name, and its declared type in lower case; None for an expression. `rowid`: it is the table's key."""

    name: str
    type: str | None = None
    rowid: bool = False


Columns = tuple[ResultColumn, ...]
_JSON = tuple(
    ResultColumn(name) for name in ("key", "value", "type", "atom", "id", "parent", "fullkey", "path")
)
_FUNCTIONS = {"json_each": _JSON, "json_tree": _JSON}


@dataclass(frozen=True)
class Schema:
    """The columns of the tables, and the SQL of the views, by name in lower case."""

    tables: Mapping[str, Columns]
    views: Mapping[str, str]


@dataclass(frozen=True)
class _Source:
    """A table or subquery in a FROM clause; its columns are None when they are unknown. `joined`: those in USING."""

    name: str
    columns: Columns | None
    joined: frozenset[str] = frozenset()

    def find(self, name: str) -> ResultColumn | None:
        return next((c for c in self.columns or () if c.name.lower() == name), None)


@dataclass
class _Cte:
    """A common table expression; `first` holds the columns of its first term while it is being read."""

    tokens: list[Token]
    names: list[str]
    scope: "dict[str, _Cte]"
    first: Columns | None = None
    busy: bool = field(default=False)


def result_columns(sql: str, schema: Schema) -> Columns | None:
    """The columns that a SELECT returns, or the RETURNING of a write; None when they cannot be known from the text."""
    tokens = tokens_of(sql)
    while tokens and tokens[-1].text == ";":
        tokens.pop()
    try:
        return _Reader(sql, schema).statement(tokens)
    except (IndexError, RecursionError):
        # The text ends too early, or is nested deeper than D1 allows; the database will say so.
        return None


class _Reader:
    def __init__(self, sql: str, schema: Schema, within: frozenset[str] = frozenset()) -> None:
        self._sql, self._schema, self._views = sql, schema, within

    def statement(self, tokens: list[Token]) -> Columns | None:
        if not tokens:
            return None
        scope, main = self._with(tokens, {})
        if main[0].upper in ("SELECT", "VALUES"):
            return self._select(main, scope, [])
        returning = next((i for i, t in enumerate(main) if t.upper == "RETURNING" and t.depth == 0), None)
        table = target_of(main, 0, main[0].upper) if main[0].upper in _WRITES and returning else None
        if returning is None or table is None:
            return None
        source = _Source(table.lower(), self._named(table.lower(), {}))
        return self._items(main[returning + 1 :], [source], scope, [])

    def _with(self, tokens: list[Token], scope: dict[str, _Cte]) -> tuple[dict[str, _Cte], list[Token]]:
        """The common table expressions in scope, and the statement behind them."""
        if tokens[0].upper != "WITH":
            return scope, tokens
        scope = dict(scope)
        at = 2 if tokens[1].upper == "RECURSIVE" else 1
        while True:
            name, names = tokens[at].name.lower(), list[str]()
            at += 1
            if tokens[at].text == "(":
                end = _closing(tokens, at)
                names = [t.name for t in tokens[at + 1 : end] if t.text != ","]
                at = end + 1
            while tokens[at].text != "(":
                at += 1
            end = _closing(tokens, at)
            scope[name] = _Cte(tokens[at + 1 : end], names, scope)
            at = end + 1
            if tokens[at].text != ",":
                return scope, tokens[at:]
            at += 1

    def _select(
        self, tokens: list[Token], scope: dict[str, _Cte], outer: list[_Source], *, inner: bool = False
    ) -> Columns | None:
        """The columns of a SELECT, which take their names from its first term.

        Their types are the first term's in a statement, and the last term's in a subquery (`inner`), as in SQLite.
        """
        scope, tokens = self._with(tokens, scope)
        terms = _terms(tokens)
        first = self._term(terms[0], scope, outer)
        if not inner or len(terms) == 1 or first is None:
            return first
        last = self._term(terms[-1], scope, outer)
        if last is None or len(last) != len(first):
            return tuple(replace(column, type=None) for column in first)
        return tuple(ResultColumn(a.name, b.type) for a, b in zip(first, last, strict=True))

    def _term(self, tokens: list[Token], scope: dict[str, _Cte], outer: list[_Source]) -> Columns | None:
        depth = tokens[0].depth
        if tokens[0].upper == "VALUES":
            end = _closing(tokens, 1)
            count = 1 + sum(t.text == "," and t.depth == depth + 1 for t in tokens[1:end])
            return tuple(ResultColumn(f"column{i + 1}") for i in range(count))
        at = 2 if tokens[1].upper in ("DISTINCT", "ALL") else 1
        end = _next(tokens, at, depth, _CLAUSES)
        start = _next(tokens[:end], at, depth, {"FROM"})
        sources = self._sources(tokens[start + 1 : end], scope, outer)
        return self._items(tokens[at:start], sources, scope, outer, tokens[start : start + 1])

    def _sources(self, tokens: list[Token], scope: dict[str, _Cte], outer: list[_Source]) -> list[_Source]:
        """The tables and subqueries of a FROM clause."""
        sources: list[_Source] = []
        at, natural = 0, False
        while at < len(tokens):
            depth = tokens[at].depth
            found, at = self._source(tokens, at, scope, outer)
            joined = set[str]()
            if natural:
                names = {column.name.lower() for source in found for column in source.columns or ()}
                joined = {name for name in names if any(source.find(name) for source in sources)}
            natural = False
            while at < len(tokens) and not _begins_source(tokens[at], depth):
                if tokens[at].upper == "USING":
                    joined = {
                        t.name.lower() for t in tokens[at + 2 : _closing(tokens, at + 1)] if t.text != ","
                    }
                natural |= tokens[at].upper == "NATURAL"
                at += 1
            sources += [replace(source, joined=source.joined | joined) for source in found]
            at += 1
        return sources

    def _source(
        self, tokens: list[Token], at: int, scope: dict[str, _Cte], outer: list[_Source]
    ) -> tuple[list[_Source], int]:
        """The source at a token, or those of a join in parentheses, and the index of the token behind."""
        if tokens[at].text == "(":
            end = _closing(tokens, at)
            inside = tokens[at + 1 : end]
            at = end + 1
            if inside[0].upper not in ("SELECT", "VALUES", "WITH"):
                return self._sources(inside, scope, outer), at
            name, columns = "", _distinct(self._select(inside, scope, outer, inner=True))
        else:
            qualified = at + 2 < len(tokens) and tokens[at + 1].text == "."
            at += 2 if qualified else 0
            name = tokens[at].name.lower()
            at += 1
            if at < len(tokens) and tokens[at].text == "(" and not qualified:
                columns = _FUNCTIONS.get(name)
                at = _closing(tokens, at) + 1
            else:
                columns = self._named(name, {} if qualified else scope)
        if at < len(tokens) and tokens[at].upper == "AS":
            at += 1
        elif at >= len(tokens) or not _is_name(tokens[at]) or tokens[at].upper in _AFTER_SOURCE:
            return [_Source(name, columns)], at
        return [_Source(tokens[at].name.lower(), columns)], at + 1

    def _named(self, name: str, scope: dict[str, _Cte]) -> Columns | None:
        if name in scope:
            return self._cte(scope[name])
        if name in self._schema.views:
            return self._view(name)
        return self._schema.tables.get(name)

    def _cte(self, cte: _Cte) -> Columns | None:
        if cte.busy:
            return cte.first
        cte.busy = True
        try:
            scope, tokens = self._with(cte.tokens, cte.scope)
            cte.first = _renamed(self._term(_terms(tokens)[0], scope, []), cte.names)
            return _renamed(_distinct(self._select(tokens, scope, [], inner=True)), cte.names)
        finally:
            cte.busy = False

    def _view(self, name: str) -> Columns | None:
        if name in self._views:
            return None
        sql = self._schema.views[name]
        tokens = tokens_of(sql)
        at = next(i for i, t in enumerate(tokens) if t.upper == "AS" and t.depth == 0)
        names = [t.name for t in tokens[:at] if t.depth == 1 and _is_name(t)]
        reader = _Reader(sql, self._schema, self._views | {name})
        return _renamed(_distinct(reader._select(tokens[at + 1 :], {}, [], inner=True)), names)

    def _items(
        self,
        tokens: list[Token],
        sources: list[_Source],
        scope: dict[str, _Cte],
        outer: list[_Source],
        behind: Sequence[Token] = (),
    ) -> Columns | None:
        columns: list[ResultColumn] = []
        for item, end in _split(tokens, behind):
            if item[-1].text == "*" and (len(item) == 1 or item[-2].text == "."):
                of = (
                    sources if len(item) == 1 else [s for s in sources if s.name == item[-3].name.lower()][:1]
                )
                expanded = _star(of) if len(item) == 1 else of[0].columns if of else None
                if expanded is None:
                    return None
                columns += expanded
                continue
            expression, alias = split_alias(item)
            found = self._column(expression, sources, scope, outer)
            text = (
                self._sql[item[0].start : end].strip()
                if end is not None
                else self._sql[item[0].start :].strip()
            )
            columns.append(
                ResultColumn(
                    alias or (found.name if found and found.name else text), found.type if found else None
                )
            )
        return tuple(columns)

    def _column(
        self, item: list[Token], sources: list[_Source], scope: dict[str, _Cte], outer: list[_Source]
    ) -> ResultColumn | None:
        """The column that an expression is; without a name when it is the one column of a subquery."""
        while item[0].text == "(" and _closing(item, 0) == len(item) - 1:
            item = item[1:-1]
            if item[0].upper in ("SELECT", "VALUES", "WITH"):
                columns = self._select(item, scope, [*sources, *outer], inner=True)
                return ResultColumn("", columns[0].type) if columns else None
        if (
            len(item) not in (1, 3, 5)
            or not all(t.kind in ("word", "quoted") for t in item[::2])
            or any(t.text != "." for t in item[1::2])
        ):
            return None
        name = item[-1].name.lower()
        for level in (sources, outer):
            of = level if len(item) == 1 else [s for s in level if s.name == item[-3].name.lower()]
            found = [(s, c) for s in of if (c := s.find(name)) is not None]
            if found and (len(item) == 1 and any(s.columns is None for s in of)):
                return None
            if found:
                return found[0][1]
            if name in _ROWID and of:
                return next((c for c in of[0].columns or () if c.rowid), ResultColumn("rowid"))
        return None


def _terms(tokens: list[Token]) -> list[list[Token]]:
    """The terms of a compound SELECT."""
    depth, terms = tokens[0].depth, [list[Token]()]
    for token in tokens:
        if token.depth == depth and token.upper in _COMPOUND:
            terms.append([])
        elif not (token.upper == "ALL" and not terms[-1] and len(terms) > 1):
            terms[-1].append(token)
    return terms


def _split(tokens: list[Token], behind: Sequence[Token]) -> Iterator[tuple[list[Token], int | None]]:
    """The expressions between commas, each with where its text ends."""
    start = 0
    for i, token in enumerate(tokens):
        if token.text == "," and token.depth == tokens[0].depth:
            yield tokens[start:i], token.start
            start = i + 1
    if start < len(tokens):
        last = tokens[-1]
        yield tokens[start:], behind[0].start if behind else last.start + len(last.text)


def _closing(tokens: list[Token], at: int) -> int:
    """The index of the parenthesis that closes the one at `at`."""
    depth = tokens[at].depth
    return next(
        (i for i in range(at + 1, len(tokens)) if tokens[i].text == ")" and tokens[i].depth == depth),
        len(tokens),
    )


def _next(tokens: list[Token], at: int, depth: int, words: set[str]) -> int:
    return next(
        (i for i in range(at, len(tokens)) if tokens[i].depth == depth and tokens[i].upper in words),
        len(tokens),
    )


def _begins_source(token: Token, depth: int) -> bool:
    return token.depth == depth and (token.text == "," or token.upper == "JOIN")


def _is_name(token: Token) -> bool:
    return token.kind in ("word", "quoted", "string")


def _star(sources: list[_Source]) -> Columns | None:
    """What * stands for: the columns of all sources, those joined by USING once."""
    if not sources or any(source.columns is None for source in sources):
        return None
    return tuple(c for s in sources for c in s.columns or () if c.name.lower() not in s.joined)


def _renamed(columns: Columns | None, names: list[str]) -> Columns | None:
    if columns is None or not names:
        return columns
    return tuple(replace(column, name=name) for column, name in zip(columns, names, strict=False))


def _distinct(columns: Columns | None) -> Columns | None:
    """The columns of a subquery: SQLite numbers a name that is there already."""
    if columns is None:
        return None
    taken, out = set[str](), list[ResultColumn]()
    for column in columns:
        name, number = column.name, 0
        while name.lower() in taken:
            number += 1
            name = f"{column.name}:{number}"
        taken.add(name.lower())
        out.append(replace(column, name=name))
    return tuple(out)
