"""Taking the picture out of a file, whatever else the file holds."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from tests.heif_files import case
from tests.pictures import picture, png, png_chunk, quartered, saved, talkative, textile
from uploads.pipeline.containers import unpack
from uploads.pipeline.containers.base import DamagedError, UnsupportedError
from uploads.pipeline.containers.png import whole
from uploads.pipeline.processing import prepare

TYPES = ["image/jpeg", "image/png", "image/webp"]
FILES = {content_type: talkative(content_type) for content_type in TYPES}
FILES |= {"image/heic": case("x4"), "image/avif": case("x5")}


def outcome(data):
    """The container, or None where the file is refused as it should be."""
    try:
        return unpack(data)
    except (DamagedError, UnsupportedError):
        return None


@pytest.mark.parametrize("content_type", TYPES)
def test_what_was_taken_out_is_taken_out_unchanged_again(content_type):
    taken = unpack(FILES[content_type])
    assert (taken.content_type, taken.width, taken.height) == (content_type, 400, 300)
    assert len(taken.data) < len(FILES[content_type])
    assert taken.exif
    again = unpack(taken.data)
    assert again.data == taken.data
    assert not again.exif
    assert not again.profile


# Bytes at the end without which all pixels can still be decoded, or all but those of a block.
UNNEEDED = {"image/jpeg": 12, "image/png": 30, "image/webp": 1}


@pytest.mark.parametrize("content_type", TYPES)
@given(cut=st.integers(0, 2**20))
def test_a_file_cut_anywhere_within_its_picture_is_refused(content_type, cut):
    data = unpack(FILES[content_type]).data
    cut %= len(data) - UNNEEDED[content_type]
    with pytest.raises(Invalid):
        prepare(data[:cut])


@pytest.mark.parametrize("content_type", [*TYPES, "image/heic", "image/avif"])
@given(place=st.integers(0, 2**20), value=st.integers(0, 255))
def test_a_changed_byte_is_refused_or_gives_a_container_of_the_same_type(content_type, place, value):
    data = bytearray(FILES[content_type])
    data[place % len(data)] = value
    taken = outcome(bytes(data))
    assert taken is None or taken.content_type == content_type


HEADS = [b"\0\0\0\x1cftypheic", b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\1\0\0WEBP"]


@given(st.binary(max_size=300), st.sampled_from(HEADS))
def test_any_bytes_are_refused_or_taken_and_nothing_else(data, head):
    outcome(head + data)


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}, {"subsampling": 0}]
)
def test_every_common_jpeg_keeps_its_pixels(options):
    data = saved(textile(), **options)
    taken = unpack(data)
    assert taken.several_scans is options.get("progressive", False)
    # No part of the picture is on the list of what is dropped: only the first segment is written anew.
    assert len(taken.data) == len(data)


def test_fill_bytes_and_stray_bytes_between_segments_are_dropped():
    data = picture()
    loose = data[:2] + b"\xff\xff\xff" + data[2:20] + b"\0stray\0" + data[20:]
    assert unpack(loose).data == unpack(data).data


def test_a_profile_in_several_parts_is_put_together_in_order():
    data = picture()
    head = b"\xff\xe2" + struct.pack(">H", 2 + 14 + 3) + b"ICC_PROFILE\0"
    second, first = head + b"\2\2two", head + b"\1\2one"
    assert unpack(data[:2] + second + first + data[2:]).profile == b"onetwo"


@pytest.mark.parametrize("frame", [0xC3, 0xC5, 0xC9, 0xCA])
def test_lossless_hierarchical_and_arithmetic_jpegs_are_not_taken(frame):
    data = picture().replace(b"\xff\xc0", bytes([0xFF, frame]), 1)
    with pytest.raises(UnsupportedError):
        unpack(data)


@pytest.mark.parametrize("colour", [0, 2, 6])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_whole_png_is_whole(colour, bits):
    data = png(33, 7, colour=colour, bits=bits)
    assert whole(data) == data
    with pytest.raises(DamagedError):
        whole(png(33, 7, colour=colour, bits=bits, rows=6))
    assert len(whole(png(33, 7, colour=colour, bits=bits, rows=7_000))) <= len(data) + 10


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (17, 9)])
def test_every_kind_of_png_is_whole(mode, size):
    image = quartered(*size)
    image = image.convert("I;16") if mode == "I;16" else image.convert(mode)
    data = unpack(saved(image, "image/png")).data
    assert whole(data) == data


def interlaced(width, height):
    """An interlaced grey PNG: seven passes, each with its own rows."""
    columns = [(0, 8), (4, 8), (0, 4), (2, 4), (0, 2), (1, 2), (0, 1)]
    lines = [(0, 8), (0, 8), (4, 8), (0, 4), (2, 4), (0, 2), (1, 2)]
    rows = b""
    for (left, across), (top, down) in zip(columns, lines, strict=True):
        wide = len(range(left, width, across))
        rows += (b"\0" + b"\x80" * wide) * len(range(top, height, down)) if wide else b""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 1)
    chunks = [png_chunk(b"IHDR", header), png_chunk(b"IDAT", zlib.compress(rows)), png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@given(st.integers(1, 20), st.integers(1, 20))
def test_an_interlaced_png_is_whole(width, height):
    data = interlaced(width, height)
    assert whole(data) == data
