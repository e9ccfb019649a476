"""Extracts the picture of a file, without anything else.

Metadata (camera, place, comments, thumbnails, text, trailing bytes) is never copied: only listed parts are, byte for
byte, so no quality is lost. Nothing is decoded here, and every length is checked before it is used. A HEIC or AVIF
file is only measured: it is never stored.
"""

from uploads.pipeline.containers import isobmff, jpeg, png, webp
from uploads.pipeline.containers.base import Container, UnsupportedError

HEAD = 12  # bytes that tell the type of a file that can be stored
UNPACKERS = {"image/jpeg": jpeg.unpack, "image/png": png.unpack, "image/webp": webp.unpack}


def unpack(data: bytes) -> Container:
    """Return the picture of a file. Raises UnsupportedError or DamagedError."""
    if data[4:8] == b"ftyp":
        return isobmff.unpack(data)
    content_type = content_type_of(data)
    if content_type is None:
        raise UnsupportedError("Only JPEG, PNG, WebP, HEIC and AVIF images are accepted.")
    return UNPACKERS[content_type](data)


def content_type_of(data: bytes) -> str | None:
    """Return the content type of a file that can be stored, by its first bytes; None for another file."""
    if data.startswith(jpeg.SIGNATURE):
        return "image/jpeg"
    if data.startswith(png.SIGNATURE):
        return "image/png"
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None
