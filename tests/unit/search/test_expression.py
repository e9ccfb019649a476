"""No text that somebody types, and no synonym, is read as FTS5 syntax."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from designs.search.expression import All, Any, Boosted, Term, Within, expression
from designs.search.reading import read, read_every_word
from designs.search.synonyms import Kind, Synonym, SynonymTable
from tests.search_catalogue import NAMED, Catalogue

ODD = st.sampled_from("abàßñ'\"%_*-():^&{}+,.;|\\अि்த\u200d🪷½\0")
LETTERS = st.one_of(ODD, st.characters(exclude_categories=["Cs"]))
PIECES = st.one_of(
    st.text(LETTERS, max_size=9), st.sampled_from(["AND", "OR", "NOT", "NEAR(a b)", "title : a", "*"])
)
TEXTS = st.lists(PIECES, max_size=6).map(" ".join)
SYNONYMS = st.builds(
    Synonym,
    st.sampled_from(Kind),
    TEXTS,
    st.sampled_from(["", *NAMED]),
    st.lists(TEXTS, max_size=3).map(tuple),
)
CATALOGUE = Catalogue({"Ikat / Saree / Red": 'A story AND "quotes"'})


@given(TEXTS, st.lists(SYNONYMS, max_size=3))
def test_whatever_is_typed_is_text(text, synonyms):
    table = SynonymTable([*synonyms, Synonym(Kind.SAME, text, words=("ikat",))])
    for reading in (read(text, table), read_every_word(text)):
        for node in filter(None, (reading.node, reading.exact, *(part.node for part in reading.parts))):
            assert {*CATALOGUE.ranked(node)} == {*CATALOGUE.titles(node)}


@given(TEXTS, TEXTS)
def test_whatever_is_corrected_is_text(one, other):
    CATALOGUE.search(f"{one} {other}")


def test_an_expression_is_quoted_and_bound_to_its_columns():
    node = All(
        (
            Any((Term(("burgundy",)), Within("colour", (("maroon",), ("wine", "red"))))),
            Term(("sar",), prefix=True),
        )
    )
    assert expression(node, NAMED) == '(("burgundy" OR {colour} : ("maroon" OR "wine red")) AND "sar"*)'
    assert expression(Within("", (("red",),)), NAMED) == '{title category colour} : ("red")'


def test_phrases_count_only_where_designs_are_ranked():
    node = All((Boosted(Term(("wine",)), (("wine", "red"), ('wi"ne', "red"))), Term(("re",), prefix=True)))
    assert expression(node, NAMED) == '("wine" AND "re"*)'
    assert expression(node, NAMED, ranked=True) == '(("wine" OR "wine red" OR "wi""ne red") AND "re"*)'


def test_a_quote_never_ends_a_word():
    assert expression(Term(('a" OR "b',)), NAMED) == '"a"" OR ""b"'


def test_a_column_that_designs_do_not_have_is_refused():
    with pytest.raises(ValueError, match="designs have title, category, colour"):
        expression(Within("description) OR (title", (("red",),)), NAMED)


def test_the_order_of_and_and_or_is_the_readings():
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE designs USING fts5(title, category, colour)")
    database.executemany(
        "INSERT INTO designs VALUES (?, '', ?)", [("a", "c"), ("b", ""), ("c", ""), ("a b", "")]
    )
    node = All((Any((Term(("a",)), Term(("b",)))), Any((Within("colour", (("c",),)), Term(("b",))))))
    asked = "SELECT rowid FROM designs WHERE designs MATCH ? ORDER BY rowid"
    assert [row for (row,) in database.execute(asked, [expression(node, NAMED)])] == [1, 2, 4]
