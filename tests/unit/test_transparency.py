"""The one value of a PNG that its tRNS chunk makes see-through is so in the stored picture and its renditions."""

import io
import struct

import pytest
from PIL import Image

from tests.colours import gama, grey_ramp, raw_png, transparent
from tests.heif_files import case
from tests.pictures import png_chunk
from uploads.pipeline.processing import prepare

COLOUR = (0x1234, 0x5678, 0x9ABC)


def alpha_of(data):
    return Image.open(io.BytesIO(data)).convert("RGBA").getchannel("A")


def holes(data):
    """The places of the first row that nothing of is shown in the stored picture. The rest must be opaque."""
    alpha = alpha_of(prepare(data).data)
    row = [alpha.getpixel((place, 0)) for place in range(alpha.width)]
    assert set(row) <= {0, 255}
    return [place for place, value in enumerate(row) if not value]


@pytest.mark.parametrize(
    ("bits", "value", "place"),
    [
        (1, 0, 0),
        (1, 1, 1),
        (2, 2, 2),
        (4, 9, 9),
        (8, 80, 80),
        (16, 1008, 63),
        (16, 0x8010, 0x801),
        (2, 6, 2),
        (8, 0x150, 80),
    ],
)
@pytest.mark.parametrize("others", [[], [gama(1.0)]], ids=["sRGB", "gAMA"])
def test_a_value_of_grey_stays_see_through(bits, value, place, others):
    data = grey_ramp(bits, *others, transparent(value))
    # The row of 1 bit is 0 1 0 0 0 0 0 0.
    assert holes(data) == ([0, 2, 3, 4, 5, 6, 7] if bits == 1 and value == 0 else [place])
    assert prepare(data).content_type == "image/png"


def test_of_sixteen_bits_all_count():
    assert holes(grey_ramp(16, transparent(1009))) == []


@pytest.mark.parametrize("is_interlaced", [False, True])
@pytest.mark.parametrize("off", [(0, 0, 1), (1, 0, 0), (0, 256, 0)])
def test_of_a_colour_of_sixteen_bits_all_count(off, is_interlaced):
    near = [value + more for value, more in zip(COLOUR, off, strict=True)]
    pixels = [struct.pack(">3H", *near), struct.pack(">3H", *COLOUR)]
    # Of two pixels in a row, the first pass has the one and the second the other (section 8.1 of the standard).
    rows = pixels if is_interlaced else [b"".join(pixels)]
    data = raw_png(2, 16, rows, transparent(*COLOUR))
    if is_interlaced:
        header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 1)
        data = data[:8] + png_chunk(b"IHDR", header) + data[33:]
    assert holes(data) == [1]


@pytest.mark.parametrize(("name", "value"), [("p01c", 1000), ("p07b", 2 * 85), ("p07e", 9 * 17)])
def test_the_kept_files_stay_see_through(name, value):
    """`value` is the see-through one as Pillow decodes it."""
    came, prepared = Image.open(io.BytesIO(case(name))), prepare(case(name))
    places = [(x, y) for x in range(came.width) for y in range(came.height)]
    wanted = [place for place in places if came.getpixel(place) == value]
    alpha = alpha_of(prepared.data)
    assert wanted == [place for place in places if alpha.getpixel(place) == 0]
    assert alpha.histogram()[255] == len(places) - len(wanted)
    assert alpha_of(prepared.renditions[0].data).getextrema()[0] < 200
