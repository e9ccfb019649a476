"""PNG files: https://www.w3.org/TR/png-3/."""

import struct
import zlib
from collections.abc import Iterator

from uploads.pipeline.containers.base import Container, DamagedError, UnsupportedError, bounded

MOST_PROFILE = 4 * 1024 * 1024  # bytes of an unpacked colour profile
PIECE = 1024 * 1024  # bytes that are unpacked at once

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEPT = {b"IHDR", b"PLTE", b"tRNS", b"IDAT"}
COLOURS = {b"cICP", b"sRGB", b"gAMA", b"cHRM"}
# Start and step of the columns and rows of each pass of an interlaced picture: section 8.1 of the standard.
ADAM7 = [(0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2)]
SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a pixel, by colour type


def chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


IEND = chunk(b"IEND", b"")


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(type, payload) up to the end of the image or file. The pixels may end with the file, within their chunk.

    Leaves out ancillary chunks with a wrong checksum. Raises DamagedError for a critical one.
    """
    position = len(SIGNATURE)
    while position + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        payload = data[position + 8 : position + 8 + length]
        checksum = data[position + 8 + length : position + 12 + length]
        position += 12 + length
        is_cut = len(checksum) < 4
        if kind == b"IEND" or not kind.isalpha() or (is_cut and kind != b"IDAT"):
            return
        if not is_cut and zlib.crc32(kind + payload) != int.from_bytes(checksum):
            if is_ancillary(kind):
                continue
            raise DamagedError("A part of the PNG is damaged.")
        yield kind, payload


def is_ancillary(kind: bytes) -> bool:
    return bool(kind[0] & 0x20)


def unpack(data: bytes) -> Container:
    kept, kinds, exif, profile, header = [SIGNATURE], [], b"", b"", b""
    colours: dict[bytes, bytes] = {}
    for kind, payload in bounded(chunks(data)):
        kinds.append(kind)
        if kind in KEPT:
            kept.append(chunk(kind, payload))
        elif kind == b"eXIf":
            exif = payload
        elif kind == b"iCCP":
            profile = unpacked_profile(payload)
        elif kind in COLOURS:
            colours[kind] = payload
        elif not is_ancillary(kind):
            raise DamagedError("The PNG holds an unknown critical chunk.")
        if kind == b"IHDR":
            header = payload
    if not kinds or kinds[0] != b"IHDR" or kinds.count(b"IHDR") != 1 or len(header) != 13:
        raise DamagedError("The PNG has no picture.")
    if b"IDAT" not in kinds:
        raise DamagedError("The PNG is cut off.")
    if kinds.count(b"fcTL") > 1:
        raise UnsupportedError("Animated images are not accepted.")
    width, height, bits = struct.unpack_from(">IIB", header)
    return Container(
        "image/png", b"".join([*kept, IEND]), width, height, exif, profile, bits, colours=colours
    )


def is_grey(container: Container) -> bool:
    """Return whether it is a PNG of the colour types 0 and 4. Pillow decodes grey of 16 bits with alpha in RGBA."""
    return container.content_type == "image/png" and container.data[25] in (0, 4)


def whole(data: bytes) -> bytes:
    """Return a PNG from `unpack` with exactly the bytes that its pixels take. Raises DamagedError if any is missing.

    Decoders show missing data as black. This unpacks all data, piece by piece: check the size first.
    """
    return data if is_exact(data) else rewritten(data)


def is_exact(data: bytes) -> bool:
    """Return whether the pixel data of a PNG from `unpack` fill the picture exactly, and have the right checksum."""
    missing = data_size(data)
    unpacker = zlib.decompressobj()
    try:
        for payload in pixel_data(data):
            pending = payload
            while pending and missing >= 0 and not unpacker.eof:
                missing -= len(unpacker.decompress(pending, PIECE))
                pending = unpacker.unconsumed_tail
            if pending:
                return False
    except zlib.error:
        return False
    return missing == 0 and unpacker.eof and not unpacker.unused_data


def rewritten(data: bytes) -> bytes:
    """Return the PNG with its pixels packed anew, without bytes after them. Raises DamagedError if any is missing."""
    missing = data_size(data)
    # Without the header and the checksum of RFC 1950, which may be wrong or missing.
    pending = b"".join(pixel_data(data))[2:]
    unpacker, packer = zlib.decompressobj(-zlib.MAX_WBITS), zlib.compressobj()
    packed = []
    try:
        while pending and missing:
            piece = unpacker.decompress(pending, min(PIECE, missing))
            packed.append(packer.compress(piece))
            missing -= len(piece)
            pending = unpacker.unconsumed_tail
    except zlib.error:
        raise DamagedError("The pixels of the PNG are damaged.") from None
    if missing:
        raise DamagedError("The PNG is cut off.")
    packed.append(packer.flush())
    others = [chunk(kind, payload) for kind, payload in chunks(data) if kind != b"IDAT"]
    return b"".join([SIGNATURE, *others, chunk(b"IDAT", b"".join(packed)), IEND])


def pixel_data(data: bytes) -> Iterator[bytes]:
    return (payload for kind, payload in chunks(data) if kind == b"IDAT")


def data_size(data: bytes) -> int:
    """Return the number of bytes of all rows of a PNG, each with its filter byte."""
    width, height, bits, colour, *_, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    pixel = bits * SAMPLES.get(colour, 1)
    total = 0
    for left, across, top, down in ADAM7 if interlaced else [(0, 1, 0, 1)]:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + -(-columns * pixel // 8))
    return total


def unpacked_profile(payload: bytes) -> bytes:
    """Return the unpacked profile of an iCCP chunk; empty if it is damaged or unreasonably large."""
    packed = payload.partition(b"\0")[2][1:]
    try:
        unpacker = zlib.decompressobj()
        profile = unpacker.decompress(packed, MOST_PROFILE)
    except zlib.error:
        return b""
    return profile if unpacker.eof else b""
