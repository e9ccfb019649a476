"""WebP files: https://developers.google.com/speed/webp/docs/riff_container."""

import struct
from collections.abc import Iterator

from uploads.pipeline.containers.base import Container, DamagedError, UnsupportedError, bounded, refuse_text

FRAME_HEADER = 16  # bytes of an ANMF chunk before the chunks of its picture


def chunks(data: bytes, position: int, end: int) -> Iterator[tuple[bytes, bytes]]:
    """(type, payload) of each whole chunk between two places of a file."""
    while position + 8 <= end:
        kind, length = struct.unpack_from("<4sI", data, position)
        position += 8 + length
        if position > end:
            return
        yield kind, data[position - length : position]
        position += length & 1


def unpack(data: bytes) -> Container:
    end = min(8 + int.from_bytes(data[4:8], "little"), len(data))
    parts: dict[bytes, bytes] = {}
    frames = []
    for kind, payload in bounded(chunks(data, 12, end)):
        parts.setdefault(kind, payload)
        if kind == b"ANMF":
            frames.append(payload)
    if len(frames) > 1:
        raise UnsupportedError("Animated images are not accepted.")
    for frame in frames:
        parts.update(bounded(chunks(frame, FRAME_HEADER, len(frame))))
    kind = b"VP8L" if b"VP8L" in parts else b"VP8 "
    picture = parts.get(kind, b"")
    width, height = size(kind, picture)
    refuse_text(picture)
    body = riff_chunk(kind, picture)
    if kind == b"VP8 " and b"ALPH" in parts:
        canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        extended = riff_chunk(b"VP8X", b"\x10\0\0\0" + canvas)
        body = extended + riff_chunk(b"ALPH", parts[b"ALPH"]) + body
    file = riff_chunk(b"RIFF", b"WEBP" + body)
    exif, profile = parts.get(b"EXIF", b""), parts.get(b"ICCP", b"")
    return Container("image/webp", file, width, height, exif, profile, lossless=kind == b"VP8L")


def size(kind: bytes, picture: bytes) -> tuple[int, int]:
    """Return width and height from the header of the bit stream (RFC 6386, section 9.1; RFC 9649, section 3.4)."""
    if kind == b"VP8L" and picture[:1] == b"\x2f" and len(picture) > 5:
        bits = int.from_bytes(picture[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and picture[3:6] == b"\x9d\x01\x2a" and len(picture) > 10:
        width, height = struct.unpack_from("<HH", picture, 6)
        return width & 0x3FFF, height & 0x3FFF
    raise DamagedError("The WebP has no picture, or is cut off.")


def riff_chunk(kind: bytes, payload: bytes) -> bytes:
    return kind + len(payload).to_bytes(4, "little") + payload + b"\0" * (len(payload) & 1)
