"""What tells staff who a user is, full name and contact: which are allowed, and how staff find them.

Accents are the marks that writers may leave out: those above and below letters, the points of Hebrew and Arabic, and
the nukta of Indic scripts. Vowel signs, viramas and the marks of kana make other letters, and stay.
"""

import re
import unicodedata

from django.core.validators import validate_email

from accounts.usernames import WITHOUT_JOINERS

FULL_NAME_LENGTH = 100  # characters
CONTACT_LENGTH = 200  # characters
TELEPHONE_DIGITS = (6, 15)  # the most: ITU-T E.164
TELEPHONE = re.compile(r"\(?\+?[\d ().-]+")

CONTROLS = ("Cc", "Zl", "Zp")  # controls, and the separators of lines and paragraphs
# They show the text after them in another order: embeddings, overrides and isolates of UAX #9.
BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Canonical_Combining_Class (UAX #44).
NUKTA, POINTS, ABOVE_AND_BELOW = 7, range(10, 36), 200


def is_one_line(text: str) -> bool:
    """Return whether the text has no line break and no other control character."""
    return not any(unicodedata.category(char) in CONTROLS or char in BIDI_CONTROLS for char in text)


def is_telephone(text: str) -> bool:
    """Return whether this is a telephone number of 6 to 15 digits, of any script."""
    least, most = TELEPHONE_DIGITS
    return TELEPHONE.fullmatch(text) is not None and least <= len(digits_of(text)) <= most


def check_email(text: str) -> None:
    """Raise ValidationError unless this is an e-mail address. Its local part may be of any script (RFC 6531)."""
    local, at, domain = text.rpartition("@")
    plain = "".join(
        "x" if not char.isascii() and unicodedata.category(char)[0] in "LMN" else char for char in local
    )
    validate_email(plain + at + domain)


def digits_of(text: str) -> str:
    """Return the digits in the text, as those of ASCII."""
    return "".join(str(unicodedata.decimal(char)) for char in text if char.isdecimal())


def searchable(text: str) -> str:
    """Return the same for texts that differ only in case, accents, joiners, Unicode form or width of spaces."""
    folded = unicodedata.normalize("NFKD", text.translate(WITHOUT_JOINERS)).casefold()
    letters = "".join(char for char in unicodedata.normalize("NFKD", folded) if not is_accent(char))
    return " ".join(letters.split())


def searchable_contact(contact: str) -> str:
    """Return an e-mail address as other texts, and of a telephone number the digits."""
    return searchable(contact) if "@" in contact else digits_of(contact)


def is_accent(character: str) -> bool:
    kind = unicodedata.combining(character)
    return kind == NUKTA or kind in POINTS or kind >= ABOVE_AND_BELOW
