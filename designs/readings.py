"""How a search is read: by synonyms always, by corrections where nothing else is found.

A reading depends on the words and on the statuses that the caller may see, not on the filters: a page and its facets
have the same one.
"""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from django.db import router

from core import sql
from d1backend import gather
from designs.known_synonyms import keep_synonyms, stored_rows, synonyms_at, synonyms_held
from designs.known_words import Vocabularies, made_of
from designs.models import Design
from designs.queries import DesignQuery
from designs.search.corrections import correct
from designs.search.expression import All, Any, Boosted, Node, Term, Within, any_of, expression
from designs.search.reading import Reading, read, read_every_word
from designs.search.sql import NAMED, finds, words_by

T = TypeVar("T")
vocabularies = Vocabularies()


def as_read(query: DesignQuery, reading: Reading) -> DesignQuery:
    """The query that asks for what the reading finds."""
    return replace(query, words=words_by(reading))


def finding(nodes: Sequence[Node], visible: Collection[str], *, unless: Node | None = None) -> set[int]:
    """The places of the nodes that find a design with one of these statuses; none if `unless` finds one."""
    asked = json.dumps([expression(node, NAMED) for node in nodes])
    statement = f"SELECT e.key FROM json_each(%s) AS e WHERE {finds('e.value', visible)}"  # noqa: S608
    parameters = [asked]
    if unless is not None:
        statement += f" AND NOT {finds('%s', visible)}"
        parameters.append(expression(unless, NAMED))
    rows = sql.rows(statement, parameters, router.db_for_read(Design, values_only=True))
    return {int(place) for (place,) in rows}


def first_reading(query: DesignQuery, version: str) -> Reading:
    """The reading of a search under a version before any correction, for a database that answers at once.

    It has no other forms of a word than those that find something.
    """
    if query.every_word:
        return read_every_word(query.text)
    reading = read(query.text, synonyms_at(version))
    others = [] if reading.node is None else list(alternatives(reading.node))
    found = finding(others, query.visible) if others else set()
    there = {node for place, node in enumerate(others) if place in found}
    return replace(reading, sets=tuple(without_missing(each, there) for each in reading.sets))


def reading_at(query: DesignQuery, version: str) -> Reading:
    """The reading of a search under a version: the first one if it finds anything."""
    reading = first_reading(query, version)
    if query.every_word or reading.node is None or finding([reading.node], query.visible):
        return reading
    known = finding([part.node for part in reading.parts], query.visible)
    vocabulary = vocabularies.at(version, query.visible)
    for corrected in correct(reading, known, synonyms_at(version), vocabulary):
        if places := finding(corrected.sets, query.visible):
            return corrected.settled(places)
    return reading


def read_and_ask(query: DesignQuery, ask: Callable[[DesignQuery], T]) -> tuple[Reading, T]:
    """The reading of a search and what `ask` finds by it, for a database that each question takes a round trip to.

    The first carries what corrections need, which the database reads only if the search finds nothing; the second, if
    need be, every reading that there is. `ask` is a question, as gather() takes it.
    """
    found: tuple[Reading, T] = gather(partial(read_step_by_step, query, ask))[0]
    return found


def read_step_by_step(query: DesignQuery, ask: Callable[[DesignQuery], T]) -> tuple[Reading, T]:
    if query.every_word:
        reading = read_every_word(query.text)
        return reading, ask(as_read(query, reading))
    table, held = synonyms_held(), vocabularies.held_for(query.visible)
    reading = read(query.text, table)
    node = reading.node
    if node is None:
        return reading, ask(as_read(query, reading))
    rows, found, known, texts, answer = gather(
        stored_rows,
        partial(finding, [node], query.visible),
        partial(finding, [part.node for part in reading.parts], query.visible, unless=node),
        partial(vocabularies.texts_unless, expression(node, NAMED), query.visible, held),
        partial(ask, as_read(query, reading)),
    )
    if keep_synonyms(rows) is not table:  # staff changed them since
        return read_step_by_step(query, ask)
    if not found:
        held = made_of(texts, held)
        readings = correct(reading, known, table, held.vocabulary) if held else []
        asked = [partial(finding, each.sets, query.visible) for each in readings]
        answers = gather(*asked, *(partial(ask, as_read(query, each)) for each in readings))
        for corrected, places, found_by_it in zip(readings, answers, answers[len(readings) :], strict=False):
            if places:
                reading, answer = corrected.settled(places), found_by_it
                break
    if held is not None:  # not before the last question: with other words it would be another
        vocabularies.keep(query.visible, held)
    return reading, answer


def alternatives(node: Node) -> Iterator[Term | Within]:
    """What finds a word in another form than the first: its plural, its synonyms."""
    if isinstance(node, Any):
        first, *rest = node.parts
        yield from (part for part in rest if isinstance(part, Term | Within) and not covers(first, part))
    elif isinstance(node, All):
        for part in node.parts:
            yield from alternatives(part)
    elif isinstance(node, Boosted):
        yield from alternatives(node.node)


def covers(first: Node, other: Node) -> bool:
    """Whether the first finds all that the other does: a beginning, and words that begin so."""
    if not (isinstance(first, Term) and isinstance(other, Term) and first.prefix and len(first.phrase) == 1):
        return False
    return any(word.startswith(first.phrase[0]) for word in other.phrase)


def without_missing(node: Node, there: Collection[Node]) -> Node:
    """The node without the alternatives that find nothing more; without any it is as fast as the words alone."""
    if isinstance(node, Any):
        first, *rest = node.parts
        kept = (part for part in rest if part in there or not isinstance(part, Term | Within))
        return any_of([first, *kept])
    if isinstance(node, All):
        return All(tuple(without_missing(part, there) for part in node.parts))
    if isinstance(node, Boosted):
        return Boosted(without_missing(node.node, there), node.phrases)
    return node
