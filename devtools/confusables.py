"""Write accounts/confusables.txt from ICU's copy of Unicode's confusables.txt.

    pip install icukit-pyicu==78.3.1    # PyICU with ICU 78: Unicode 17
    python -m devtools.confusables

PyICU is no requirement of the service, so it is not among the requirements.
"""

import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

TARGET = Path("accounts/confusables.txt")
SIGNS = "_.-"
HEAD = """\
# Unicode {version}, UTS #39: a prototype, a tab, and the characters that are confusable with it.
# Characters that are no letter, mark or digit, or that NFKC replaces, are left out. By devtools/confusables.py.
# Copyright © Unicode, Inc. Unicode License V3: https://www.unicode.org/license.txt
"""


def prototypes(icu: Any) -> dict[str, str]:
    """Return each prototype with the characters that it stands for, in order of their code points."""
    checker, normal = icu.SpoofChecker(), icu.Normalizer2
    forms = [normal.getNFDInstance(), normal.getNFKCInstance()]
    found: defaultdict[str, str] = defaultdict(str)
    for point in range(sys.maxunicode + 1):
        character = chr(point)
        if not is_part_of_names(icu, point) or any(form.normalize(character) != character for form in forms):
            continue
        prototype = checker.getSkeleton(0, character)
        # An empty one is that of a character that nobody sees; usernames have none.
        if prototype not in ("", character):
            found[prototype] += character
    return found


def is_part_of_names(icu: Any, point: int) -> bool:
    kind = icu.UCharCategory
    letters = (kind.UPPERCASE_LETTER, kind.LOWERCASE_LETTER, kind.TITLECASE_LETTER, kind.MODIFIER_LETTER)
    others = (kind.OTHER_LETTER, kind.NON_SPACING_MARK, kind.ENCLOSING_MARK, kind.COMBINING_SPACING_MARK)
    digits = (kind.DECIMAL_DIGIT_NUMBER,)
    return icu.Char.charType(point) in (*letters, *others, *digits) or chr(point) in SIGNS


def main() -> None:
    import icu

    lines = sorted(f"{prototype}\t{characters}\n" for prototype, characters in prototypes(icu).items())
    TARGET.write_text(HEAD.format(version=icu.UNICODE_VERSION) + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
