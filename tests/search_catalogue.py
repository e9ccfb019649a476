"""A small catalogue in a real FTS5 table: what a reading finds in it."""

import sqlite3
from collections import Counter
from collections.abc import Mapping

from designs.search.corrections import correct
from designs.search.expression import Node, expression
from designs.search.reading import Reading, read
from designs.search.synonyms import NO_SYNONYMS, SynonymTable
from designs.search.tokens import fold, folded_words, split
from designs.search.vocabulary import Vocabulary

NAMED = ("title", "category", "colour")
COLUMNS = ("title", "description", "category", "colour")
TOKENIZER = "unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc Cf'"


class Catalogue:
    def __init__(self, designs: Mapping[str, str], table: SynonymTable = NO_SYNONYMS) -> None:
        """`designs` are titles with their descriptions; a title may go on with "/ category / colour"."""
        self.table = table
        self.database = sqlite3.connect(":memory:")
        columns = ", ".join((*COLUMNS, "folded"))
        self.database.execute(f'CREATE VIRTUAL TABLE designs USING fts5({columns}, tokenize="{TOKENIZER}")')
        counts: Counter[str] = Counter()
        for key, description in designs.items():
            title, category, colour, *_ = (part.strip() for part in f"{key}///".split("/"))
            texts = (title, description, category, colour)
            self.database.execute("INSERT INTO designs VALUES (?, ?, ?, ?, ?)", [*texts, folded_words(texts)])
            counts.update({word for text in (title, category, colour) for word in split(fold(text))})
        self.vocabulary = Vocabulary(counts.items())

    def titles(self, node: Node | None) -> list[str]:
        if node is None:
            return []
        asked = "SELECT title FROM designs WHERE designs MATCH ? ORDER BY rowid"
        return [title for (title,) in self.database.execute(asked, [expression(node, NAMED)])]

    def ranked(self, node: Node) -> list[str]:
        """The titles that a node finds, as they are ranked; of equal ones the later first."""
        asked = "SELECT title FROM designs WHERE designs MATCH ? ORDER BY rank, rowid DESC"
        return [title for (title,) in self.database.execute(asked, [expression(node, NAMED, ranked=True)])]

    def search(self, text: str) -> tuple[list[str], Reading]:
        """The titles that a search finds, and how it was read in the end."""
        first = read(text, self.table)
        if found := self.titles(first.node):
            return found, first
        known = [place for place, part in enumerate(first.parts) if self.titles(part.node)]
        for reading in correct(first, known, self.table, self.vocabulary):
            if found := self.titles(reading.node):
                return found, reading.settled([n for n, each in enumerate(reading.sets) if self.titles(each)])
        return [], first
