"""The colours that a file tells are those of the stored picture, which is in sRGB. Right values are computed here.

tests/browser/test_colours.py compares them with what a browser shows.
"""

import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from core.errors import Invalid
from tests.colours import (
    COLOURS,
    P3,
    SRGB_CHUNK,
    chrm,
    cicp,
    encoded,
    gama,
    grey_profile,
    grey_ramp,
    iccp,
    patched,
    patches,
    patches_of,
    raw_png,
    srgb_profile,
    with_chunks,
)
from tests.heif_files import avif
from tests.pictures import png_chunk, saved, swapped_profile
from uploads.pipeline.processing import prepare

# To linear sRGB, of Display P3 (https://www.w3.org/TR/css-color-4/#color-conversion-code) and BT.2020 (ITU-R BT.2407).
OF_P3 = ((1.2249, -0.2249, 0.0), (-0.0420, 1.0420, 0.0), (-0.0196, -0.0786, 1.0982))
OF_BT_2020 = ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187))
SAME = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def stored(data):
    image = Image.open(io.BytesIO(prepare(data).data))
    image.load()
    return image


def of_srgb(level):
    value = level / 255
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def by_power(exponent):
    return lambda level: (level / 255) ** exponent


def right(colour, light, matrix):
    linear = [light(level) for level in colour]
    return [encoded(sum(a * b for a, b in zip(row, linear, strict=True))) for row in matrix]


@pytest.mark.parametrize(
    ("chunks", "light", "matrix"),
    [
        ([gama(0.55556)], by_power(1.8), SAME),
        ([gama(1.0)], by_power(1.0), SAME),
        ([gama(0.3)], by_power(1 / 0.3), SAME),
        ([gama(0.55556), chrm(P3)], by_power(1.8), OF_P3),
        ([cicp(12, 13)], of_srgb, OF_P3),
        ([cicp(9, 13)], of_srgb, OF_BT_2020),
        ([cicp(9, 14)], by_power(2.4), OF_BT_2020),
        ([cicp(1, 4)], by_power(2.2), SAME),
        ([cicp(1, 8)], by_power(1.0), SAME),
    ],
)
def test_colours_are_within_two_levels(chunks, light, matrix):
    image = stored(patched(*chunks))
    assert "icc_profile" not in image.info
    assert not {"gamma", "chromaticity", "srgb"} & set(image.info)
    for colour, shown in zip(COLOURS, patches_of(image), strict=True):
        assert shown == pytest.approx(right(colour, light, matrix), abs=2), colour


def test_renditions_have_the_same_colours():
    colour = (140, 90, 45)
    data = with_chunks(saved(Image.new("RGB", (1300, 400), colour), "image/png"), cicp(12, 13))
    renditions = prepare(data).renditions
    assert len(renditions) == 3
    for rendition in renditions:
        shown = Image.open(io.BytesIO(rendition.data)).convert("RGB").getpixel((100, 50))
        assert shown == pytest.approx(right(colour, of_srgb, OF_P3), abs=2)


@pytest.mark.parametrize(
    ("chunks", "alone"),
    [
        ([gama(1.0), SRGB_CHUNK, iccp(swapped_profile("sRGB")), cicp(12, 13)], [cicp(12, 13)]),
        ([gama(1.0), SRGB_CHUNK, iccp(swapped_profile())], [iccp(swapped_profile())]),
        ([gama(1.0), chrm(P3), SRGB_CHUNK], []),
        ([gama(1.0), png_chunk(b"sRGB", b"\x09")], [gama(1.0)]),
        ([gama(1.0), iccp(b"no profile" * 30)], [gama(1.0)]),
        ([gama(1.0), cicp(12, 13, 0, 0)], [gama(1.0)]),
        ([gama(1.0), cicp(2, 2)], [gama(1.0)]),
        ([gama(1.0), cicp(12, 99)], [gama(1.0)]),
        ([chrm(P3)], []),
        ([gama(0.0)], []),
        ([gama(0.55556), chrm([0] * 8)], []),
        ([iccp(grey_profile())], []),
        ([iccp(swapped_profile()[:200])], []),
    ],
)
def test_the_first_of_four_ways_counts(chunks, alone):
    assert prepare(patched(*chunks)).data == prepare(patched(*alone)).data


@pytest.mark.parametrize(
    "chunk",
    [gama(0.45455), SRGB_CHUNK, cicp(1, 13), iccp(srgb_profile())],
    ids=["gAMA", "sRGB", "cICP", "iCCP"],
)
def test_what_is_srgb_keeps_its_bytes(chunk):
    assert prepare(patched(chunk)).data == patched()


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_a_grey_profile_is_applied(bits):
    image = stored(grey_ramp(bits, iccp(grey_profile())))
    samples = min(1 << bits, 4096)
    levels = [
        round(place * 255 / (samples - 1)) if bits < 16 else place * 16 >> 8 for place in range(samples)
    ]
    for place, level in enumerate(levels):
        assert image.convert("RGB").getpixel((place, 0)) == pytest.approx([encoded(level / 255)] * 3, abs=2)


@pytest.mark.parametrize("bits", [8, 16])
def test_a_grey_profile_is_applied_beside_alpha(bits):
    row = b"".join(level.to_bytes(1) * (bits // 8) + b"\x80" * (bits // 8) for level in range(256))
    image = stored(raw_png(4, bits, [row], iccp(grey_profile())))
    for level in range(256):
        *shown, alpha = image.convert("RGBA").getpixel((level, 0))
        assert shown == pytest.approx([encoded(level / 255)] * 3, abs=2)
        assert alpha == 128


def test_a_grey_profile_is_applied_to_a_jpeg():
    image = stored(saved(patches("L"), icc_profile=grey_profile(), quality=95))
    for colour, shown in zip(patches_of(patches("L")), patches_of(image), strict=True):
        assert shown == pytest.approx([encoded(colour / 255)] * 3, abs=2 if colour > 10 else 14)


def test_a_profile_for_colours_is_applied_to_grey():
    assert stored(patched(cicp(1, 8), mode="L")).getpixel((0, 0)) == (0, 0, 0)
    shown = patches_of(stored(patched(cicp(1, 8), mode="L")))
    assert shown[-1] == (255, 255, 255)
    assert shown == patches_of(stored(patched(gama(1.0), mode="L")))


def test_a_jpeg_with_corrected_colours_is_encoded_finely():
    data = saved(patches(), icc_profile=swapped_profile(), quality=50)
    red, green, blue = Image.open(io.BytesIO(data)).split()
    deviation = ImageChops.difference(Image.merge("RGB", (green, red, blue)), stored(data))
    assert max(ImageStat.Stat(deviation).mean) < 2


@pytest.mark.parametrize("transfer", [16, 18])
def test_a_high_dynamic_range_is_refused(transfer):
    with pytest.raises(Invalid, match=r"high dynamic range .* sRGB"):
        prepare(patched(cicp(9, transfer)))


@settings(max_examples=100, deadline=None)
@given(
    kind=st.sampled_from([b"cICP", b"gAMA", b"cHRM", b"sRGB"]),
    payload=st.binary(max_size=40),
    gamma=st.integers(0, 2**32 - 1),
)
def test_no_chunk_about_colours_breaks_a_picture(kind, payload, gamma):
    gamma_chunk = png_chunk(b"gAMA", struct.pack(">I", gamma))
    data = raw_png(2, 8, [bytes(range(48))] * 4, gamma_chunk, png_chunk(kind, payload))
    if kind == b"cICP" and len(payload) == 4 and payload[1] in (16, 18) and payload[2:] == b"\0\1":
        return
    assert prepare(data).width == 16


def avif_of(colour, primaries, transfer):
    """A picture whose code points are these."""
    data = avif(Image.new("RGB", (64, 64), colour), quality=100, subsampling="4:4:4")
    place = data.index(b"colrnclx") + 8
    return data[:place] + struct.pack(">HH", primaries, transfer) + data[place + 4 :]


@pytest.mark.parametrize(
    ("primaries", "transfer", "matrix"),
    [
        (12, 13, OF_P3),
        (9, 13, OF_BT_2020),
        (12, 1, OF_P3),
        (1, 13, SAME),
        (2, 2, SAME),
        (1, 1, SAME),
        (9, 16, SAME),
    ],
)
def test_code_points_of_an_avif_are_applied(primaries, transfer, matrix):
    colour = (140, 90, 45)
    shown = stored(avif_of(colour, primaries, transfer)).getpixel((32, 32))
    assert shown == pytest.approx(right(colour, of_srgb, matrix), abs=4)  # of two lossy encodings


def test_the_profile_of_an_avif_counts_before_its_code_points():
    image = Image.new("RGB", (64, 64), (140, 90, 45))
    plain = avif(image, quality=100, subsampling="4:4:4", icc_profile=srgb_profile())
    place = plain.find(b"colrnclx")
    told = plain if place < 0 else plain[: place + 8] + struct.pack(">HH", 9, 13) + plain[place + 12 :]
    assert stored(told).getpixel((32, 32)) == pytest.approx((140, 90, 45), abs=4)
