"""What is asked where a search finds nothing as it stands, and what is left alone."""

import pytest

from designs.search.corrections import MOST_CORRECTED, correct
from designs.search.reading import read
from designs.search.synonyms import NO_SYNONYMS, Kind, Synonym, SynonymTable
from tests.search_catalogue import Catalogue

DESIGNS = {
    "Kanjivaram Saree / Saree / Maroon": "Silk with a story of a master weaver.",
    "Kalamkari Dupatta / Dupatta / Indigo": "Painted with a pen for the office.",
    "Kota Doria Stole / Stole / Peach": "Squares like a net.",
    "Gota Patti Lehenga / Lehenga / Pink": "Ribbon of gold for a wedding.",
    "Leheriya Kurta / Kurta / Teal": "Waves for the monsoon.",
    "Tant Saree / Saree / White": "A white saree for summer.",
    "Bagru Print Kurta / Kurta / Black": "Printed by hand.",
    "Zardozi Blouse / Blouse / Black": "For an evening.",
}


@pytest.fixture(scope="module")
def catalogue():
    return Catalogue(DESIGNS)


@pytest.mark.parametrize(
    ("text", "corrected"),
    [
        ("kanjeevaram", {"kanjeevaram": "kanjivaram"}),
        ("Kanjeevaram price", {"Kanjeevaram": "kanjivaram"}),
        ("sari", {"sari": "saree"}),
        ("lehnga", {"lehnga": "lehenga"}),
        ("lahriya", {"lahriya": "leheriya"}),
        ("jardosi", {"jardosi": "zardozi"}),
        ("klamkari", {"klamkari": "kalamkari"}),
        ("kalmakri", {"kalmakri": "kalamkari"}),
        ("dupattos", {"dupattos": "dupatta"}),
        ("kalamk", {}),
        ("kanjeev", {"kanjeev": "kanjivaram"}),
        ("kotadoria", {"kotadoria": "kota doria"}),
        ("kottadoriya", {"kottadoriya": "kota doria"}),
        ("kalam kari dupatta", {"kalam kari": "kalamkari"}),
        ("साड़ी", {"साड़ी": "saree"}),
        ("কলমকারি ডুপাট্টা", {"কলমকারি": "kalamkari", "ডুপাট্টা": "dupatta"}),
    ],
)
def test_a_word_that_nobody_has_is_corrected(catalogue, text, corrected):
    found, reading = catalogue.search(text)
    assert found
    assert dict(reading.corrected) == corrected


@pytest.mark.parametrize(
    "text", ["toaster", "bluetooth speaker", "zxqvbn", "pants", "boots", "shirt", "bag 2026", "tan"]
)
def test_other_words_find_nothing(catalogue, text):
    found, reading = catalogue.search(text)
    assert found == [] or text == "tan"  # the beginning of tant
    assert reading.corrected == ()


@pytest.mark.parametrize("text", ["kota", "gota", "tant", "bagru", "kurta", "master", "net"])
def test_a_word_that_the_catalogue_has_is_never_corrected(catalogue, text):
    found, reading = catalogue.search(f"{text} qqqq")
    assert found
    assert reading.corrected == ()
    assert reading.words == (text,)
    assert reading.ignored == ("qqqq",)


def test_no_correction_leads_to_a_word_of_a_story(catalogue):
    assert catalogue.search("mastar")[0] == []
    assert catalogue.search("monsun")[0] == []


def test_the_one_word_that_is_unknown_is_left_out(catalogue):
    found, reading = catalogue.search("pink lehenga bluetooth price")
    assert found == ["Gota Patti Lehenga"]
    assert (reading.words, reading.ignored) == (("pink", "lehenga"), ("bluetooth", "price"))


def test_two_unknown_words_are_not(catalogue):
    assert catalogue.search("pink bluetooth speaker")[0] == []


def test_a_guess_alone_carries_nothing(catalogue):
    assert catalogue.search("leheniga speaker")[0] == []


def test_known_words_that_never_meet_are_left_out_in_turn(catalogue):
    found, reading = catalogue.search("white kurta summer")
    assert found == ["Tant Saree"]
    assert (reading.words, reading.ignored) == (("white", "summer"), ("kurta",))


def test_sets_that_find_something_each_leave_out_nothing_for_all(catalogue):
    found, reading = catalogue.search("white kurta")
    assert found == ["Leheriya Kurta", "Tant Saree", "Bagru Print Kurta"]
    assert (reading.words, reading.ignored) == (("white", "kurta"), ())


def test_a_corrected_word_meets_the_others_before_one_is_left_out(catalogue):
    found, reading = catalogue.search("blak kurta")
    assert found == ["Bagru Print Kurta"]
    found, reading = catalogue.search("blak saree summer")
    assert found == ["Tant Saree"]
    assert (reading.corrected, reading.ignored) == ((), ("blak",))


def test_synonyms_are_corrected_too_and_words_that_staff_keep_are_not():
    table = SynonymTable(
        [
            Synonym(Kind.MEANS, "लाल", "colour", ("maroon",)),
            Synonym(Kind.MEANS, "burgundy", "colour", ("maroon",)),
            Synonym(Kind.KEPT, "tanto"),
        ]
    )
    catalogue = Catalogue(DESIGNS, table)
    assert catalogue.search("laal saree")[0] == ["Kanjivaram Saree"]
    assert catalogue.search("burgandy saree")[0] == ["Kanjivaram Saree"]
    assert Catalogue(DESIGNS).search("tanto")[0] == ["Tant Saree"]
    assert catalogue.search("tanto")[0] == []


def test_a_word_that_staff_know_joins_one_that_nobody_knows():
    table = SynonymTable([Synonym(Kind.SAME, "chikankari", words=("chikan",)), Synonym(Kind.KEPT, "khari")])
    catalogue = Catalogue({"Chikankari Kurta / Kurta / White": "", "Khari Print / Dupatta / Red": ""}, table)
    found, reading = catalogue.search("chikan kaari")
    assert found == ["Chikankari Kurta"]
    assert dict(reading.corrected) == {"chikan kaari": "chikankari"}
    assert dict(catalogue.search("chikkan khari")[1].corrected) == {"chikkan": "chikan"}


def test_a_search_of_many_words_is_not_corrected(catalogue):
    text = " ".join(f"kalamkri{letter}" for letter in "abcdefghijklmnopq")
    assert len(text.split()) > MOST_CORRECTED
    assert correct(read(text, NO_SYNONYMS), [], NO_SYNONYMS, catalogue.vocabulary) == []
