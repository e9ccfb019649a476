"""What the formats of files share."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

MOST_PARTS = 20_000  # segments or chunks: a PNG of 10 MB in pieces of 1 kB has half as many

FEW_LINES = 4  # one line feed in 256 follows a carriage return by chance

Part = TypeVar("Part")


class DamagedError(Exception):
    """The file is cut off, or violates its format."""


class UnsupportedError(Exception):
    """A valid file of an unsupported kind; the message says which."""


@dataclass(frozen=True)
class Container:
    """The bytes of the picture, and the metadata that showing it correctly needs."""

    content_type: str
    data: bytes
    width: int  # pixels
    height: int  # pixels
    exif: bytes = b""  # for its orientation
    profile: bytes = b""  # ICC; empty if the file has none
    bits: int = 8  # of a sample
    several_scans: bool = False  # a JPEG whose coefficients libjpeg keeps until the last
    lossless: bool = False  # a WebP of the lossless kind
    # Payloads of the chunks of a PNG, or of the box of a HEIF file, that say something about its colours.
    colours: Mapping[bytes, bytes] = field(default_factory=dict)


def bounded(parts: Iterator[Part]) -> Iterator[Part]:
    """Yield the parts of a file. Raises DamagedError after MOST_PARTS: a list of tiny ones takes much memory."""
    for number, part in enumerate(parts):
        if number == MOST_PARTS:
            raise DamagedError("The file consists of too many parts.")
        yield part


def refuse_text(data: bytes) -> None:
    """Raise DamagedError if each line feed follows a carriage return, as programs write that take a file for text."""
    lines = data.count(b"\n")
    if lines >= FEW_LINES and lines == data.count(b"\r\n"):
        raise DamagedError(
            "The picture was sent as text, which changed its line ends. Send it as binary data."
        )
