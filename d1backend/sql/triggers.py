"""What the statements in a trigger's body do to the rows that a transaction knows."""

from dataclasses import dataclass

from d1backend.sql.tokenizer import Token, target_of, tokens_of, verb_at

# The columns whose values a statement takes away; None: whole rows.
LostColumns = frozenset[str] | None
_EVENTS = {"INSERT", "UPDATE", "DELETE"}
_FIRES = {
    "INSERT": frozenset({"INSERT", "UPDATE"}),
    "UPDATE": frozenset({"UPDATE"}),
    "DELETE": frozenset({"DELETE"}),
    "REPLACE": frozenset(_EVENTS),
}


@dataclass(frozen=True)
class Effect:
    """What one statement does: its table, the events that fire there, and the columns that lose values."""

    table: str
    fires: frozenset[str]
    lost: LostColumns


@dataclass(frozen=True)
class Trigger:
    """A trigger's event and the effects of its body. `hides`: its table's row counts are not what a statement finds."""

    event: str
    effects: tuple[Effect, ...]
    hides: bool


def fired_by(verb: str) -> frozenset[str]:
    """The events that a statement may fire; an INSERT may be an upsert."""
    return _FIRES.get(verb, frozenset(_EVENTS))


def parse_trigger(sql: str, table: str) -> Trigger:
    """Read a CREATE TRIGGER on a table, whose name is in lower case."""
    tokens = tokens_of(sql)
    begin = next((i for i, t in enumerate(tokens) if t.upper == "BEGIN"), len(tokens))
    event = next((t.upper for t in tokens[:begin] if t.upper in _EVENTS), "")
    body = tokens[begin + 1 :]
    effects, statement = list[Effect](), list[Token]()
    for token in body:
        if token.text != ";":
            statement.append(token)
            continue
        if effect := _effect(statement):
            effects.append(effect)
        statement = []
    words = [t.upper for t in body]
    skips = any(a == "RAISE" and b == "IGNORE" for a, b in zip(words, words[2:], strict=False))
    before = any(t.upper == "BEFORE" for t in tokens[:begin])
    hides = skips or (before and any(e.table == table and e.lost is None for e in effects))
    return Trigger(event, tuple(effects), hides)


def _effect(statement: list[Token]) -> Effect | None:
    at = verb_at(statement)
    verb = statement[at].upper if at is not None else ""
    if at is None or verb not in _FIRES:
        return None
    table = (target_of(statement, at, verb) or "").lower()
    replaces = [t.upper for t in statement[at + 1 : at + 3]] == ["OR", "REPLACE"]
    if verb in ("DELETE", "REPLACE") or replaces:
        return Effect(table, fired_by("REPLACE" if replaces else verb), None)
    return Effect(table, fired_by(verb), _assigned(statement[at:]))


def _assigned(tokens: list[Token]) -> frozenset[str]:
    """The columns that the SET of an UPDATE or an upsert assigns."""
    depth = tokens[0].depth
    columns, assigning = set[str](), False
    for i, token in enumerate(tokens):
        if token.depth == depth and token.upper == "SET":
            assigning = True
        elif token.depth == depth and token.upper in ("WHERE", "FROM", "RETURNING"):
            assigning = False
        elif assigning and token.text == "=" and token.depth == depth:
            start = i - 1
            if tokens[start].text == ")":
                start = max(j for j in range(i) if tokens[j].text == "(" and tokens[j].depth == depth)
            columns |= {t.name.lower() for t in tokens[start:i] if t.kind in ("word", "quoted")}
    return frozenset(columns)
