"""Suggestions while typing: what the caller may see, by any word, also mistyped."""

import secrets

import pytest

from tests.e2e.contract.shapes import SUGGESTION, granted, items_of, refused

pytestmark = pytest.mark.e2e


@pytest.fixture
def suggest(reader):
    def ask(q, client=None):
        answer = (client or reader.client).get("/api/designs/suggest", params={"q": q})
        return granted(answer, items_of(SUGGESTION))["items"]

    return ask


@pytest.fixture(scope="module")
def word():
    """One that no other test has."""
    return "".join(secrets.choice("bcdfgklmnprst") + secrets.choice("aeiou") for _ in range(5))


@pytest.fixture(scope="module")
def collection(create, word):
    name = f"Loom {word}"
    for title in ("A", "B"):
        create(title=f"{title} {secrets.token_hex(4)}", collection_name=name)
    create(title=f"Hidden {word}", collection_name=name, status="draft")
    return name


def test_a_collection_is_found_by_its_second_word(suggest, boss, collection, word):
    found = {"text": collection, "kind": "collection_name", "count": 2}
    assert suggest(word[:7]) == [found]
    assert suggest(f"loom {word}") == [found]
    assert suggest(word.upper()) == [found]
    assert suggest(word, boss) == [
        found | {"count": 3},
        {"text": f"Hidden {word}", "kind": "title", "count": 1},
    ]


def test_a_mistyped_word_finds_it_too(suggest, collection, word):
    assert collection in [one["text"] for one in suggest(f"{word[:4]}{word[5:]}")]


@pytest.mark.parametrize("q", ["", "%", "***"])
def test_nothing_is_suggested_for_nothing(suggest, q):
    assert suggest(q) == []


def test_too_much_is_refused(reader, anyone):
    refused(reader.client.get("/api/designs/suggest", params={"q": "x" * 501}), 400, "invalid", field="q")
    refused(anyone.get("/api/designs/suggest", params={"q": "x"}), 401, "not_authenticated")


def test_what_the_caller_has_is_not_sent_again(reader, collection, word):
    first = reader.client.get("/api/designs/suggest", params={"q": word})
    assert "private" in first.headers["Cache-Control"]
    again = reader.client.get(
        "/api/designs/suggest", params={"q": word}, headers={"If-None-Match": first.headers["ETag"]}
    )
    assert again.status_code == 304
