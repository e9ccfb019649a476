"""What a list of synonyms says of a word."""

from designs.search.synonyms import NO_SYNONYMS, Kind, Meaning, Synonym, SynonymTable

TABLE = SynonymTable(
    [
        Synonym(Kind.SAME, "Sari", words=("saree", "साड़ी")),
        Synonym(Kind.SAME, "saree", words=("sadi",)),
        Synonym(Kind.MEANS, "burgundy", "colour", ("maroon", "wine red")),
        Synonym(Kind.MEANS, "Daily-Wear", "", ("casual",)),
        Synonym(Kind.KEPT, "linen"),
        Synonym(Kind.KEPT, "***"),
        Synonym(Kind.SAME, "%", words=("percent",)),
    ]
)


def test_the_same_words_find_each_other_but_not_themselves():
    assert TABLE.of(("saree",)) == (Meaning(None, (("sari",), ("साडी",), ("sadi",))),)
    assert TABLE.of(("sadi",)) == (Meaning(None, (("saree",),)),)


def test_a_meaning_goes_one_way_and_is_bound_to_its_column():
    assert TABLE.of(("burgundy",)) == (Meaning("colour", (("maroon",), ("wine", "red"))),)
    assert TABLE.of(("maroon",)) == ()


def test_a_phrase_is_looked_up_as_its_words():
    assert TABLE.of(("daily", "wear")) == (Meaning("", (("casual",),)),)
    assert TABLE.longest == 2


def test_words_of_the_list_need_no_correction():
    assert "linen" in TABLE
    assert "sadi" in TABLE
    assert "maroon" not in TABLE
    assert "daily" not in TABLE
    assert "saree" not in NO_SYNONYMS
