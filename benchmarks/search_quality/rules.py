"""Which designs a query means.

A rule is a row of clauses, parted by `;`, that must all hold: `field, field: word|two words|@family` holds where one
of the alternatives stands in one of the fields as whole words, a plural s or es more or less; a `!` before it turns
it round. `text` is all the fields together.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
FIELDS = (
    *("title", "description", "category", "style", "colour", "fabric", "occasion", "season"),
    *("designer_name", "collection_name"),
)

Texts = dict[str, str]  # a design's fields, folded
Clause = tuple[bool, list[str], re.Pattern[str]]


def folded(text: str | None) -> str:
    """Lower case without accents, all that is no letter or digit one space.

    Not the gallery's own folding, which is measured here.
    """
    plain = "".join(
        each for each in unicodedata.normalize("NFKD", text or "") if not unicodedata.combining(each)
    )
    return " ".join(re.sub(r"[^0-9a-z]+", " ", plain.casefold()).split())


class Rule:
    def __init__(self, text: str, families: dict[str, str]) -> None:
        self.clauses = [clause_of(part, families) for part in text.split(";") if part.strip()]

    def holds(self, design: Texts) -> bool:
        return all(
            any(pattern.search(design[field]) for field in fields) == wanted
            for wanted, fields, pattern in self.clauses
        )


def clause_of(text: str, families: dict[str, str]) -> Clause:
    """Raises ValueError for a clause that says nothing or names an unknown field."""
    names, _, words = text.partition(":")
    wanted = not names.strip().startswith("!")
    fields = [name.strip() for name in names.strip().lstrip("!").split(",")]
    fields = list(FIELDS) if fields == ["text"] else fields
    if set(fields) - set(FIELDS) or not words.strip():
        raise ValueError(f"A rule says nothing, or names an unknown field: {text}")
    alternatives: list[str] = []
    for word in map(str.strip, words.split("|")):
        alternatives += families[word[1:]].split("|") if word.startswith("@") else [word]
    pattern = "|".join(re.escape(folded(each)) for each in alternatives)
    return wanted, fields, re.compile(rf"\b(?:{pattern})(?:s|es)?\b")


@dataclass(frozen=True)
class Query:
    """A search, the designs it means, and those that must not be among the first; no `want`: nothing is meant."""

    kind: str
    text: str
    want: Rule | None
    never: Rule | None = None


def judged() -> Iterator[Query]:
    families = json.loads((HERE / "families.json").read_text(encoding="utf-8"))
    for row in json.loads((HERE / "dev.json").read_text(encoding="utf-8"))["queries"]:
        want, never = (Rule(row[name], families) if row.get(name) else None for name in ("want", "never"))
        yield Query(row["kind"], row["q"], want, never)
