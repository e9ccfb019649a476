"""Extracts the picture of a JPEG, PNG or WebP file, without anything else.

Metadata (camera, place, comments, thumbnails, text, trailing bytes) is never copied: only listed parts are, byte for
byte, so no quality is lost. Nothing is decoded here, and every length is checked before it is used.

Formats: ITU-T T.81 annex B; https://www.w3.org/TR/png-3/;
https://developers.google.com/speed/webp/docs/riff_container.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

MOST_SCANS = 30  # a progressive JPEG has about ten; each costs a pass over all of the picture
MOST_PARTS = 20_000  # segments or chunks: a PNG of 10 MB in pieces of 1 kB has half as many
MOST_PROFILE = 4 * 1024 * 1024  # bytes of an unpacked colour profile

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


def unpack(data: bytes) -> Container:
    """Return the picture of a file. Raises UnsupportedError or DamagedError."""
    if data.startswith(b"\xff\xd8\xff"):
        return jpeg(data)
    if data.startswith(PNG_SIGNATURE):
        return png(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return webp(data)
    raise UnsupportedError("Only JPEG, PNG and WebP images are accepted.")


def bounded(parts: Iterator[Part]) -> Iterator[Part]:
    """Yield the parts of a file. Raises DamagedError after MOST_PARTS: a list of tiny ones takes much memory."""
    for number, part in enumerate(parts):
        if number == MOST_PARTS:
            raise DamagedError("The file consists of too many parts.")
        yield part


SOI, EOI = b"\xff\xd8", b"\xff\xd9"
# Tables, frame headers (baseline, extended, progressive), restart interval, scan: B.1.1.3 of T.81.
JPEG_KEPT = {0xC0, 0xC1, 0xC2, 0xC4, 0xDA, 0xDB, 0xDD}
JPEG_FRAMES = {0xC0, 0xC1, 0xC2}
JPEG_OTHER_FRAMES = {0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)}
JPEG_LONE = {0x01, *range(0xD0, 0xD8)}  # markers without a length
MARKER = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)
MARKER_IN_SCAN = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]", re.DOTALL)
# A JFIF segment says that colours are YCbCr, and may hold a thumbnail: this one has none.
JFIF = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"


def jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """(marker, payload, the whole segment with the scan that follows it), up to the end of the image."""
    position = len(SOI)
    while found := MARKER.search(data, position):
        marker, start = found[1][0], found.end()
        if marker == 0xD9:
            return
        position = start
        if marker in JPEG_LONE:
            continue
        length = int.from_bytes(data[start : start + 2])
        position += length
        if length < 2 or position > len(data):
            break
        payload = data[start + 2 : position]
        if marker == 0xDA:
            following = MARKER_IN_SCAN.search(data, position)
            if following is None:
                break
            position = following.start()
        yield marker, payload, b"\xff" + data[start - 1 : position]
    raise DamagedError("The JPEG is cut off.")


def jpeg(data: bytes) -> Container:
    kept, exif, frames, scans = [SOI], b"", [], []
    profile: dict[int, bytes] = {}
    for marker, payload, segment in bounded(jpeg_segments(data)):
        if marker in JPEG_KEPT:
            kept.append(segment)
        if marker in JPEG_FRAMES:
            frames.append((marker, *struct.unpack_from(">BHHc", payload.ljust(6, b"\0"))))
        elif marker in JPEG_OTHER_FRAMES:
            raise UnsupportedError(
                "This kind of JPEG is not accepted: save it as a baseline or progressive one."
            )
        elif marker == 0xDA:
            scans.append(payload[:1])  # the number of its components
        elif marker == 0xE0 and payload.startswith(b"JFIF\0"):
            kept.append(JFIF)
        elif marker == 0xE1 and payload.startswith(b"Exif\0\0"):
            exif = exif or payload
        elif marker == 0xE2 and payload.startswith(b"ICC_PROFILE\0") and len(payload) > 14:
            profile[payload[12]] = payload[14:]
        elif marker == 0xEE and payload.startswith(b"Adobe") and len(payload) >= 12:
            kept.append(b"\xff\xee\x00\x0e" + payload[:12])
    if len(frames) != 1 or not 1 <= len(scans) <= MOST_SCANS:
        raise DamagedError("The JPEG has no picture, or is built to be slow.")
    [(frame, bits, height, width, components)] = frames
    icc = b"".join(profile[number] for number in sorted(profile))
    several = frame == 0xC2 or scans != [components]
    return Container(
        "image/jpeg", b"".join([*kept, EOI]), width, height, exif, icc, bits, several_scans=several
    )


PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """(type, payload, the whole chunk), up to the end of the image; checksums are checked."""
    position = len(PNG_SIGNATURE)
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            break
        if zlib.crc32(memoryview(data)[position + 4 : end - 4]) != int.from_bytes(data[end - 4 : end]):
            raise DamagedError("A part of the PNG is damaged.")
        yield kind, data[position + 8 : end - 4], data[position:end]
        if kind == b"IEND":
            return
        position = end
    raise DamagedError("The PNG is cut off.")


def png(data: bytes) -> Container:
    kept, kinds, exif, profile, header = [PNG_SIGNATURE], [], b"", b"", b""
    for kind, payload, chunk in bounded(png_chunks(data)):
        kinds.append(kind)
        if kind in PNG_KEPT:
            kept.append(chunk)
        elif kind == b"acTL":
            raise UnsupportedError("Animated images are not accepted.")
        elif kind == b"eXIf":
            exif = payload
        elif kind == b"iCCP":
            profile = png_profile(payload)
        elif not kind[0] & 0x20:
            raise DamagedError("The PNG holds an unknown critical chunk.")
        if kind == b"IHDR":
            header = payload
    if kinds[0] != b"IHDR" or kinds.count(b"IHDR") != 1 or b"IDAT" not in kinds or len(header) != 13:
        raise DamagedError("The PNG has no picture.")
    width, height, bits = struct.unpack_from(">IIB", header)
    return Container("image/png", b"".join(kept), width, height, exif, profile, bits)


def png_is_whole(data: bytes) -> bool:
    """Return whether the pixel data of a PNG from `unpack` fill the picture exactly.

    Decoders show missing data as black. This unpacks all data, piece by piece: check the size first.
    """
    missing = png_data_size(data)
    unpacker = zlib.decompressobj()
    try:
        for kind, payload, _ in png_chunks(data):
            pending = payload if kind == b"IDAT" else b""
            while pending and missing >= 0 and not unpacker.eof:
                missing -= len(unpacker.decompress(pending, PIECE))
                pending = unpacker.unconsumed_tail
    except zlib.error:
        return False
    return missing == 0 and not unpacker.unused_data


PIECE = 1024 * 1024  # bytes
# Start and step of the columns and rows of each pass of an interlaced picture: section 8.1 of the standard.
ADAM7 = [(0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2)]
PNG_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a pixel, by colour type


def png_data_size(data: bytes) -> int:
    """Return the number of bytes of all rows of a PNG, each with its filter byte."""
    width, height, bits, colour, *_, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    pixel = bits * PNG_SAMPLES.get(colour, 1)
    total = 0
    for left, across, top, down in ADAM7 if interlaced else [(0, 1, 0, 1)]:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + -(-columns * pixel // 8))
    return total


def png_profile(payload: bytes) -> bytes:
    """Return the unpacked profile of an iCCP chunk; empty if it is damaged or unreasonably large."""
    packed = payload.partition(b"\0")[2][1:]
    try:
        unpacker = zlib.decompressobj()
        profile = unpacker.decompress(packed, MOST_PROFILE)
    except zlib.error:
        return b""
    return profile if unpacker.eof else b""


def webp_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(type, payload) of each chunk within the size in the file header."""
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise DamagedError("The WebP is cut off.")
    position = 12
    while position + 8 <= end:
        kind, length = struct.unpack_from("<4sI", data, position)
        position += 8 + length
        if position > end:
            raise DamagedError("The WebP is cut off.")
        yield kind, data[position - length : position]
        position += length & 1


def webp(data: bytes) -> Container:
    chunks: dict[bytes, bytes] = {}
    for kind, payload in bounded(webp_chunks(data)):
        chunks.setdefault(kind, payload)
    if b"ANIM" in chunks or b"ANMF" in chunks:
        raise UnsupportedError("Animated images are not accepted.")
    kind = b"VP8L" if b"VP8L" in chunks else b"VP8 "
    picture = chunks.get(kind, b"")
    width, height = webp_size(kind, picture)
    parts = riff_chunk(kind, picture)
    if kind == b"VP8 " and b"ALPH" in chunks:
        canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        extended = riff_chunk(b"VP8X", b"\x10\0\0\0" + canvas)
        parts = extended + riff_chunk(b"ALPH", chunks[b"ALPH"]) + parts
    file = riff_chunk(b"RIFF", b"WEBP" + parts)
    exif, profile = chunks.get(b"EXIF", b""), chunks.get(b"ICCP", b"")
    return Container("image/webp", file, width, height, exif, profile, lossless=kind == b"VP8L")


def webp_size(kind: bytes, picture: bytes) -> tuple[int, int]:
    """Return width and height from the header of the bit stream (RFC 6386, section 9.1; RFC 9649, section 3.4)."""
    if kind == b"VP8L" and picture[:1] == b"\x2f" and len(picture) > 5:
        bits = int.from_bytes(picture[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and picture[3:6] == b"\x9d\x01\x2a" and len(picture) > 10:
        width, height = struct.unpack_from("<HH", picture, 6)
        return width & 0x3FFF, height & 0x3FFF
    raise DamagedError("The WebP has no picture.")


def riff_chunk(kind: bytes, payload: bytes) -> bytes:
    return kind + len(payload).to_bytes(4, "little") + payload + b"\0" * (len(payload) & 1)
