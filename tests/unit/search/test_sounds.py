"""Spellings that sound alike, and words that must not."""

import pytest

from designs.search.sounds import sound_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("kanjeevaram", "kanjivaram"),
        ("pochampaly", "pochampally"),
        ("ikkat", "ikat"),
        ("fulkari", "phulkari"),
        ("zardosi", "zardozi"),
        ("chandheri", "chanderi"),
        ("shaul", "shawl"),
        ("mashroo", "mashru"),
        ("shervani", "sherwani"),
        ("kotton", "cotton"),
        ("pooja", "puja"),
        ("leheria", "leheriya"),
        ("jorjet", "georgette"),
        ("sari", "saree"),
        ("bandani", "bandhani"),
    ],
)
def test_spellings_of_one_word_sound_alike(one, other):
    assert sound_of(one) == sound_of(other)


def test_words_of_the_trade_stay_apart():
    words = [
        "kota",
        "gota",
        "kosa",
        "kurta",
        "kora",
        "bagh",
        "bagru",
        "tant",
        "pants",
        "patti",
        "pata",
        "kattha",
        "kasuti",
    ]
    assert len({sound_of(word) for word in words}) == len(words)
