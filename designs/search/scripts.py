"""Latin spellings of words in nine Indic scripts, read from Unicode's own names of their letters."""

import re
import unicodedata
from functools import lru_cache

SOUTHERN = ("TAMIL", "TELUGU", "KANNADA", "MALAYALAM")  # they write which consonants have no vowel
SCRIPTS = ("DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", *SOUTHERN)
INHERENT = "ə"  # the vowel of a consonant that is followed by no other
VOWELS = "aeiouə"
VIRAMA = 9  # the combining class of the mark for "no vowel"
# What a letter's name does not say by itself. Vowels are short here: their length is spelled in too many ways.
SOUNDS = {
    "AA": "a", "II": "i", "UU": "u", "EE": "e", "OO": "o", "EY": "e", "SHORT E": "e", "SHORT O": "o",
    "CANDRA A": "a", "CANDRA E": "e", "CANDRA O": "o", "VOCALIC R": "ri", "VOCALIC RR": "ri", "VOCALIC L": "li",
    "C": "ch", "CH": "ch", "TT": "t", "TTH": "th", "DD": "ḍ", "DDH": "ḍh", "NN": "n", "NNN": "n", "NY": "n",
    "NG": "n", "SS": "sh", "LL": "l", "LLL": "l", "RR": "r", "DDDH": "r", "RH": "r", "Q": "k", "KHH": "kh",
    "GHH": "g", "YY": "y", "RA WITH MIDDLE DIAGONAL": "r", "RA WITH LOWER DIAGONAL": "v", "KHANDA T": "t",
    "CHILLU NN": "n", "CHILLU N": "n", "CHILLU RR": "r", "CHILLU L": "l", "CHILLU LL": "l", "CHILLU K": "k",
    "IRI": "", "URA": "",
}  # fmt: skip
NASALS = ("SIGN ANUSVARA", "SIGN CANDRABINDU", "SIGN BINDI", "SIGN ADAK BINDI", "TIPPI")
# Letters with a nukta, which Unicode's normal forms take apart.
NUKTA_LETTERS = {
    unicodedata.normalize("NFC", letter): letter
    for letter in map(chr, range(0x0900, 0x0B80))
    if len(unicodedata.normalize("NFC", letter)) > 1
}
NUKTA_LETTER = re.compile("|".join(NUKTA_LETTERS))
# In Hindi and its neighbours a consonant between two spoken syllables loses its inherent vowel: kalam(ə)kari.
UNSPOKEN = re.compile(
    rf"(?:(?<=[{VOWELS}][^{VOWELS}])|(?<=[{VOWELS}][^{VOWELS}]h)){INHERENT}(?=[^{VOWELS}]h?[aeiou])|{INHERENT}$"
)
# Tamil has one letter for each pair of a hard and a soft consonant; Malayalam too, after a nasal.
ONE_FOR_TWO = ("TAMIL", "MALAYALAM")
SOFT = {"nch": "nj", "ch": "s", "k": "g", "t": "d", "p": "b"}
SOFTENED = re.compile(rf"(nch|(?<=[{VOWELS}])ch|(?<=[{VOWELS}nm])[ktp])(?=[{VOWELS}]|$)")
# Between vowels this one is spoken as an r, and its nukta, which says so, is often left out.
FLAP = re.compile(rf"(?<=[{VOWELS}])ḍ(?=h?[{VOWELS}])")
SOFT_START = re.compile("^(ch|[ktp])")


def script_of(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


def is_indic(word: str) -> bool:
    return not word.isascii() and any(script_of(letter) in SCRIPTS for letter in word)


@lru_cache(maxsize=2048)
def romanised(word: str) -> tuple[str, ...]:
    """The word in Latin letters, the likeliest spelling first; nothing where it is of no Indic script."""
    if not is_indic(word):
        return ()
    whole = spelled(NUKTA_LETTER.sub(lambda pair: NUKTA_LETTERS[pair[0]], unicodedata.normalize("NFC", word)))
    spellings = [UNSPOKEN.sub("", whole), whole.removesuffix(INHERENT), whole]
    scripts = {script_of(letter) for letter in word}
    if scripts.intersection(ONE_FOR_TWO):
        spellings = [
            each
            for one in (SOFTENED.sub(softer, whole), whole)
            for each in (one, SOFT_START.sub(softer, one))
        ]
    if "MALAYALAM" in scripts and unicodedata.combining(word[-1]) == VIRAMA:
        spellings += [each + "u" for each in spellings]
    spellings += [FLAP.sub("r", each) for each in spellings]
    return tuple(dict.fromkeys(each.replace(INHERENT, "a").replace("ḍ", "d") for each in spellings))


def softer(found: re.Match[str]) -> str:
    return SOFT[found[0]]


def spelled(word: str) -> str:
    """The word letter by letter, the inherent vowels marked."""
    result = ""
    for letter in word:
        script, _, name = unicodedata.name(letter, "").partition(" ")
        kind, _, sound = name.rpartition("LETTER ")
        if letter.isdecimal():
            result += str(unicodedata.decimal(letter))
        elif script not in SCRIPTS:
            result += letter if letter.isalnum() else ""
        elif name.startswith("VOWEL SIGN "):
            result = result.removesuffix(INHERENT) + vowel(name.removeprefix("VOWEL SIGN "))
        elif name == "SIGN VIRAMA":
            result = result.removesuffix(INHERENT)
        elif name in NASALS:
            result += "m" if script in SOUTHERN and letter == word[-1] else "n"
        elif kind == "" and name.startswith("LETTER"):
            result += letter_sound(sound)
    return result


def vowel(name: str) -> str:
    return SOUNDS.get(name, name.lower())


def letter_sound(name: str) -> str:
    """KA is a consonant with its vowel, KHANDA TA one without, AU a vowel."""
    if name in SOUNDS or name in ("A", "I", "U", "E", "O", "AI", "AU"):
        return vowel(name)
    consonant = name.removesuffix("A")
    silent = name.startswith(("CHILLU", "KHANDA"))
    return SOUNDS.get(consonant, consonant.lower()) + ("" if silent else INHERENT)
