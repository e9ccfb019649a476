"""JPEG files: ITU-T T.81, annex B."""

import re
import struct
from collections.abc import Iterator

from uploads.pipeline.containers.base import Container, DamagedError, UnsupportedError, bounded, refuse_text

MOST_SCANS = 30  # a progressive JPEG has about ten; each costs a pass over all of the picture

SIGNATURE = b"\xff\xd8\xff"
SOI, EOI = b"\xff\xd8", b"\xff\xd9"
SOS, DNL = 0xDA, 0xDC
# Tables, frame headers (baseline, extended, progressive), restart interval, scan: B.1.1.3 of T.81.
KEPT = {0xC0, 0xC1, 0xC2, 0xC4, SOS, 0xDB, 0xDD}
FRAMES = {0xC0, 0xC1, 0xC2}
PROGRESSIVE = 0xC2
OTHER_FRAMES = {0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)}
LONE = {0x01, *range(0xD0, 0xD8)}  # markers without a length
ENDS = {0xD8, 0xD9}  # of this picture, or the start of another, where the end mark is missing
MARKER = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)
MARKER_IN_SCAN = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]", re.DOTALL)
# A JFIF segment says that colours are YCbCr, and may hold a thumbnail: this one has none.
JFIF = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"


def segments(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """(marker, payload, the whole segment with the scan that follows it), up to the end of the image or file.

    Some cameras leave out the end mark, so only a decoder can tell whether a picture is all there.
    """
    position = len(SOI)
    while found := MARKER.search(data, position):
        marker, start = found[1][0], found.end()
        if marker in ENDS:
            return
        position = start
        if marker in LONE:
            continue
        length = int.from_bytes(data[start : start + 2])
        position += length
        if length < 2 or position > len(data):
            return
        payload, scan = data[start + 2 : position], b""
        if marker == SOS:
            following = MARKER_IN_SCAN.search(data, position)
            end = following.start() if following else len(data)
            scan, position = data[position:end].rstrip(b"\xff"), end
        yield marker, payload, b"\xff" + data[start - 1 : start + length] + scan


def unpack(data: bytes) -> Container:
    kept, exif, frame, lines = [SOI], b"", 0, 0
    frames: list[tuple[int, int, int, int, bytes]] = []
    scans: list[bytes] = []
    profile: dict[int, bytes] = {}
    for marker, payload, segment in bounded(segments(data)):
        if marker == DNL and len(scans) == 1:
            lines = int.from_bytes(payload[:2])
            continue
        if is_complete(frames, scans):
            break
        if marker in FRAMES:
            frame = len(kept)
            frames.append((marker, *struct.unpack_from(">BHHc", payload.ljust(6, b"\0"))))
        if marker in KEPT:
            kept.append(segment)
        if marker in OTHER_FRAMES:
            raise UnsupportedError(
                "This kind of JPEG is not accepted: save it as a baseline or progressive one."
            )
        if marker == SOS:
            scans.append(segment)
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
    [(_, bits, height, width, _)] = frames
    if height == 0 and lines:
        # The height came after the scan (B.2.5). Decoders want it in the frame header.
        height = lines
        kept[frame] = kept[frame][:5] + struct.pack(">H", lines) + kept[frame][7:]
    refuse_text(b"".join(scans))
    icc = b"".join(profile[number] for number in sorted(profile))
    several = not is_complete(frames, scans)
    picture = b"".join([*kept, EOI])
    return Container("image/jpeg", picture, width, height, exif, icc, bits, several_scans=several)


def is_complete(frames: list[tuple[int, int, int, int, bytes]], scans: list[bytes]) -> bool:
    """Return whether one scan holds the whole picture: it is not progressive, and all components are in it."""
    components = [scan[4:5] for scan in scans]
    return len(frames) == 1 and frames[0][0] != PROGRESSIVE and components == [frames[0][4]]


def with_means_alone(data: bytes, filling: bytes) -> bytes:
    """Return a JPEG from `unpack` with only the scans that give each block its mean, and the filling after each.

    A decoder shows the filling where a scan lacks data. Raises DamagedError if a component has no such scan.
    """
    kept, missing = [SOI], set()
    for marker, payload, segment in segments(data):
        if marker in FRAMES:
            missing = set(payload[6::3])
        if marker == SOS:
            components = payload[1 : 1 + 2 * payload[0] : 2]
            first, _, approximation = payload[-3:]
            if first or approximation >> 4:
                continue
            missing -= set(components)
            segment += filling
        kept.append(segment)
    if missing:
        raise DamagedError("The JPEG is cut off.")
    return b"".join([*kept, EOI])
