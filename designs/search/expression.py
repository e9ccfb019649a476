"""A search as FTS5 reads it (https://sqlite.org/fts5.html, section 3). Words are quoted: none is ever syntax."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from designs.search.synonyms import Phrase


@dataclass(frozen=True)
class Term:
    """Words that stand one after the other; the last as the beginning of a word too, if `prefix`."""

    phrase: Phrase
    prefix: bool = False


@dataclass(frozen=True)
class Within:
    """Any of some phrases, in one column, or in the title and every attribute where `field` is empty."""

    field: str
    phrases: tuple[Phrase, ...]


@dataclass(frozen=True)
class Boosted:
    """What a node finds. What holds one of the phrases, all of which the node finds too, ranks higher."""

    node: "Node"
    phrases: tuple[Phrase, ...]


@dataclass(frozen=True)
class Any:
    parts: tuple["Node", ...]


@dataclass(frozen=True)
class All:
    parts: tuple["Node", ...]


Node = Term | Within | Boosted | Any | All


def any_of(nodes: Iterable[Node]) -> Node:
    parts = tuple(dict.fromkeys(nodes))
    return parts[0] if len(parts) == 1 else Any(parts)


def all_of(nodes: Iterable[Node]) -> Node:
    parts = tuple(dict.fromkeys(nodes))
    return parts[0] if len(parts) == 1 else All(parts)


def expression(node: Node, named: tuple[str, ...], *, ranked: bool = False) -> str:
    """The FTS5 expression. `named` are the columns of the title and the attributes; Within may name these only.

    Phrases that rank higher are in it only if it is `ranked`: they cost time, and find nothing more.
    """
    inner = partial(expression, named=named, ranked=ranked)
    match node:
        case Term(phrase, prefix):
            return quoted(phrase) + ("*" if prefix else "")
        case Within(field, phrases):
            columns = (field,) if field else named
            if not set(columns) <= set(named):
                raise ValueError(
                    f"A synonym is bound to the column {field!r}; designs have {', '.join(named)}."
                )
            return f"{{{' '.join(columns)}}} : ({' OR '.join(map(quoted, phrases))})"
        case Boosted(boosted, phrases):
            return f"({' OR '.join([inner(boosted), *map(quoted, phrases)])})" if ranked else inner(boosted)
        case Any(parts):
            return f"({' OR '.join(map(inner, parts))})"
        case All(parts):
            return f"({' AND '.join(map(inner, parts))})"


def quoted(phrase: Phrase) -> str:
    return '"' + " ".join(phrase).replace('"', '""') + '"'
