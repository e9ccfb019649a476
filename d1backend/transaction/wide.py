"""Results of more columns than D1's 100: columns of tables travel together, as JSON arrays."""

import json
from dataclasses import dataclass
from functools import lru_cache

from d1backend.protocol import encoding
from d1backend.sql.tokenizer import Token, end_of, first_item, result_items, split_alias, tokens_of, verb_at
from d1backend.sql.values import Row

MAX_COLUMNS = 100
_GROUP = 30
_COMPOUND = {"UNION", "EXCEPT", "INTERSECT"}
_BEHIND_TERMS = {"HAVING", "WINDOW", "LIMIT", "ORDER"}


@dataclass(frozen=True)
class Narrow:
    """A SELECT whose columns are packed. `packed`: which of the wide columns are in arrays; `kept`: which are not."""

    sql: str
    packed: tuple[int, ...]
    kept: tuple[int, ...]

    def widen(self, rows: list[Row]) -> list[Row]:
        """The rows with all their columns."""
        groups = _groups(len(self.packed))
        result = []
        for row in rows:
            wide = [None] * (len(self.packed) + len(self.kept))
            cells = encoding.row([json.loads(text) for text in row[:groups]])
            for i, value in zip((*self.packed, *self.kept), (*cells, *row[groups:]), strict=True):
                wide[i] = value
            result.append(tuple(wide))
        return result


def _groups(count: int) -> int:
    return -(-count // _GROUP)


@lru_cache(maxsize=64)
def narrow(sql: str) -> Narrow | None:
    """A SELECT of more than 100 columns as one that D1 returns; None when it cannot be one.

    Columns of tables are packed. Expressions stay as they are, so that their aliases can be used elsewhere.
    """
    tokens = tokens_of(sql)
    main = verb_at(tokens)
    if main is None or tokens[main].upper != "SELECT":
        return None
    start = first_item(tokens, main + 1)
    items = result_items(tokens, start)
    depth, end = tokens[start].depth, items[-1][1]
    behind = [token for token in tokens[start:] if token.start >= end]
    if any(token.depth == depth and token.upper in _COMPOUND for token in behind):
        return None
    packed = tuple(i for i, (item, _) in enumerate(items) if _is_column(item))
    kept = tuple(i for i in range(len(items)) if i not in packed)
    if _groups(len(packed)) + len(kept) > MAX_COLUMNS:
        return None
    texts = [sql[item[0].start : until].strip() for item, until in items]
    columns = [sql[items[i][0][0].start : end_of(items[i][0])] for i in packed]
    arrays = [
        f"json_array({', '.join(map(encoding.cell, columns[i : i + _GROUP]))})"
        for i in range(0, len(columns), _GROUP)
    ]
    places = {i + 1: columns[at] for at, i in enumerate(packed)}
    places |= {i + 1: str(len(arrays) + at + 1) for at, i in enumerate(kept)}
    head = f"{sql[: tokens[start].start]}{', '.join([*arrays, *(texts[i] for i in kept)])} "
    return Narrow(head + _replaced(sql, end, _positions(behind, depth), places), packed, kept)


def _is_column(item: list[Token]) -> bool:
    """Whether an item is a column of a table, without an alias."""
    names, dots = item[::2], item[1::2]
    named = all(t.kind in ("word", "quoted") for t in names) and all(t.text == "." for t in dots)
    return named and len(item) % 2 == 1 and split_alias(item)[1] is None


def _positions(tokens: list[Token], depth: int) -> list[Token]:
    """The numbers of GROUP BY and ORDER BY that name a column by its position."""
    found: list[Token] = []
    in_terms, begins = False, False
    for token in tokens:
        if token.depth != depth:
            begins = False
        elif token.upper == "BY":
            in_terms = begins = True
        elif token.upper in _BEHIND_TERMS:
            in_terms = begins = False
        elif token.text == ",":
            begins = in_terms
        elif begins and token.kind == "number":
            found.append(token)
            begins = False
        elif found and token.kind == "other" and token.start == found[-1].start + len(found[-1].text) + 1:
            # 1 + 1 is an expression, not a position.
            found.pop()
        else:
            begins = False
    return found


def _replaced(sql: str, at: int, numbers: list[Token], places: dict[int, str]) -> str:
    """The text from `at` on, with other positions."""
    out = []
    for token in numbers:
        out += [
            sql[at : token.start],
            places.get(int(token.text), token.text) if token.text.isdigit() else token.text,
        ]
        at = token.start + len(token.text)
    return "".join([*out, sql[at:]])
