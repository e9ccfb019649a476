"""Indic scripts in Latin letters."""

import pytest

from designs.search.scripts import romanised
from designs.search.sounds import sound_of


@pytest.mark.parametrize(
    ("word", "latin"),
    [
        ("बनारसी", "banarasi"),
        ("साड़ी", "sari"),
        ("साडी", "sari"),  # without its nukta
        ("ज़रदोज़ी", "zardozi"),
        ("कलमकारी", "kalamkari"),
        ("শাড়ি", "saree"),
        ("জামদানি", "jamdani"),
        ("তাঁত", "tant"),
        ("ফুলকাৰী", "phulkari"),
        ("ਦੁਪੱਟਾ", "dupatta"),
        ("ਫੁਲਕਾਰੀ", "phulkari"),
        ("પટોળા", "patola"),
        ("ଶାଢ଼ୀ", "saree"),
        ("ପଟ୍ଟଚିତ୍ର", "pattachitra"),
        ("சுங்குடி", "sungudi"),
        ("பனாரஸி", "banarasi"),
        ("గద్వాల్", "gadwal"),
        ("పోచంపల్లి", "pochampalli"),
        ("ಕಸೂತಿ", "kasuti"),
        ("കസവ്", "kasavu"),
        ("മുണ്ട്", "mundu"),
    ],
)
def test_one_spelling_sounds_like_the_word(word, latin):
    assert sound_of(latin) in {sound_of(each) for each in romanised(word)}


@pytest.mark.parametrize("word", ["saree", "μετάξι", "шёлк", "絹", "👗", ""])
def test_other_scripts_have_none(word):
    assert romanised(word) == ()
