"""The pictures of a design as a list: as the API takes it and the audit trail keeps it, and as a cell of a table."""

import re
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

# A key, or where there is an alternative text {"object_key": …, "alt": …}.
Sent: TypeAlias = str | dict[str, str]
NEXT_PICTURE = re.compile(r"\n(?! )")


class Picture(NamedTuple):
    """The key of a stored image, and its alternative text."""

    object_key: str
    alt: str = ""

    @classmethod
    def of(cls, sent: Sent) -> "Picture":
        return cls(sent) if isinstance(sent, str) else cls(sent["object_key"], sent.get("alt", ""))

    @property
    def sent(self) -> Sent:
        """The picture as the API takes it."""
        return {"object_key": self.object_key, "alt": self.alt} if self.alt else self.object_key


def with_cover(pictures: Sequence[Picture], key: str) -> list[Picture]:
    """The pictures with another cover. One that is among them moves to the front, any other replaces the first."""
    found = [picture for picture in pictures if picture.object_key == key]
    if found:
        return [*found, *(picture for picture in pictures if picture.object_key != key)]
    return [Picture(key), *pictures[1:]]


def as_cell(pictures: Sequence[Picture]) -> str:
    """The pictures as text, one a line: the key, a space, the alternative text, whose further lines are indented."""
    texts = (f"{key} {alt}".strip() for key, alt in pictures)
    return "\n".join(text.replace("\n", "\n ") for text in texts)


def of_cell(cell: str) -> list[Sent]:
    """What as_cell made, as the API takes it."""
    lines = [line.replace("\n ", "\n") for line in NEXT_PICTURE.split(cell) if line.strip()]
    return [Picture(key.strip(), alt).sent for key, _, alt in (line.partition(" ") for line in lines)]
