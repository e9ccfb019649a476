"""HEIC and AVIF files: the boxes of ISO/IEC 14496-12, and the items and properties of ISO/IEC 23008-12."""

import struct
from collections.abc import Iterator

from uploads.pipeline.containers.base import Container, DamagedError, UnsupportedError, bounded

CODECS = {b"av1C": "image/avif", b"hvcC": "image/heic"}  # the property that configures a decoder
PROFILES, NCLX = (b"prof", b"rICC"), b"nclx"
FULL = 4  # bytes of version and flags, with which some boxes begin


def boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(type, start and end of the payload) of each box between two places. Raises DamagedError if one is cut off."""
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1:
            size, head = int.from_bytes(data[start + 8 : start + 16]), 16
        elif size == 0:
            size = end - start
        if size < head or start + size > end:
            raise DamagedError("The file is cut off.")
        yield kind, start + head, start + size
        start += size


def unpack(data: bytes) -> Container:
    """Return the size and colours of the primary item, and the file as it came."""
    try:
        top = found(data, 0, len(data))
        meta = found(data, top[b"meta"][0] + FULL, top[b"meta"][1])
        item = primary_item(data[slice(*meta[b"pitm"])])
        tables = found(data, *meta[b"iprp"])
        properties = list(bounded(boxes(data, *tables[b"ipco"])))
        own = [properties[number - 1] for number in associated(data[slice(*tables[b"ipma"])], item) if number]
        [size] = [data[start:end] for kind, start, end in own if kind == b"ispe"]
        width, height = struct.unpack_from(">II", size, FULL)
    except (KeyError, IndexError, ValueError, struct.error):
        raise UnsupportedError("The file holds no HEIC or AVIF picture.") from None
    kinds = {kind for kind, _, _ in properties}
    for codec, content_type in CODECS.items():
        if codec in kinds:
            # Where the whole has no profile, its tiles may.
            icc = profile(data, [*own, *properties])
            return Container(content_type, data, width, height, profile=icc, colours=code_points(data, own))
    raise UnsupportedError("Of HEIF files, only those with HEVC or AV1 pictures are accepted.")


def profile(data: bytes, properties: list[tuple[bytes, int, int]]) -> bytes:
    """Return the first ICC profile among the properties; empty without one."""
    colours = (data[start:end] for kind, start, end in properties if kind == b"colr")
    return next((colour[4:] for colour in colours if colour[:4] in PROFILES), b"")


def code_points(data: bytes, properties: list[tuple[bytes, int, int]]) -> dict[bytes, bytes]:
    """Return the code points of a picture's colours by the name of their box; nothing without any."""
    colours = (data[start:end] for kind, start, end in properties if kind == b"colr")
    return next(({NCLX: colour[4:]} for colour in colours if colour[:4] == NCLX), {})


def found(data: bytes, start: int, end: int) -> dict[bytes, tuple[int, int]]:
    """Return the place of the first box of each type."""
    places: dict[bytes, tuple[int, int]] = {}
    for kind, first, last in bounded(boxes(data, start, end)):
        places.setdefault(kind, (first, last))
    return places


def primary_item(box: bytes) -> int:
    """Return the item that a pitm box names."""
    return int.from_bytes(box[FULL : FULL + (4 if box[0] else 2)])


def associated(box: bytes, item: int) -> list[int]:
    """Return the numbers of the properties that an ipma box gives an item; the first property has number 1."""
    version, long_index = box[0], box[3] & 1
    [count] = struct.unpack_from(">I", box, FULL)
    position = FULL + 4
    for _ in range(min(count, len(box))):
        [number] = struct.unpack_from(">I" if version else ">H", box, position)
        position += 4 if version else 2
        properties = box[position]
        position += 1
        step = 2 if long_index else 1
        indices = box[position : position + step * properties]
        position += step * properties
        if number == item:
            return [
                int.from_bytes(indices[place : place + step]) & (0x7FFF if long_index else 0x7F)
                for place in range(0, len(indices), step)
            ]
    return []
