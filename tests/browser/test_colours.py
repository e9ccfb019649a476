"""The colours of stored pictures are those that a browser shows of the files as they came."""

import base64

import pytest
from PIL import Image, ImageChops

from tests.colours import pictures
from tests.pictures import saved
from uploads.pipeline.processing import prepare

pytestmark = pytest.mark.browser

MOST = 2  # levels
PIXELS = """async (address) => {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
    let text = "";
    for (let start = 0; start < pixels.length; start += 30000)
        text += String.fromCharCode(...pixels.subarray(start, start + 30000));
    return [canvas.width, canvas.height, btoa(text)];
}"""


def as_shown(page, data):
    """What the browser shows of a file, on black: a canvas keeps few levels of what is nearly see-through."""
    kind = "png" if data[:4] == b"\x89PNG" else "jpeg" if data[:2] == b"\xff\xd8" else "webp"
    width, height, pixels = page.evaluate(
        PIXELS, f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    )
    return Image.frombytes("RGBA", (width, height), base64.b64decode(pixels)).convert("RGBa")


def deviations(one, other):
    """How many samples differ by so many levels, as a list of 256."""
    one, other = (Image.frombytes("RGBA", each.size, each.tobytes()) for each in (one, other))
    counts = ImageChops.difference(one, other).histogram()
    return [sum(counts[level::256]) for level in range(256)]


@pytest.mark.parametrize("name", pictures())
def test_a_picture_is_stored_as_a_browser_shows_it(page, name):
    data = pictures()[name]
    prepared = prepare(data)
    shown, stored = as_shown(page, data), as_shown(page, prepared.data)
    assert shown.size == stored.size
    counts = deviations(shown, stored)
    if prepared.content_type == "image/png":
        assert sum(counts[MOST + 1 :]) == 0
    else:
        # Encoding a JPEG once more moves some samples further.
        assert sum(counts[MOST + 1 :]) < 0.05 * sum(counts)
    wanted = prepare(saved(shown.convert("RGBA"), "image/png")).renditions
    for rendition, other in zip(prepared.renditions, wanted, strict=True):
        off = deviations(as_shown(page, rendition.data), as_shown(page, other.data))
        assert sum(level * count for level, count in enumerate(off)) < MOST * sum(off)
