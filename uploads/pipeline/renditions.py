"""The smaller sizes of an image, and what an app shows until the first of them has loaded."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import thumbhash
from PIL import Image

# Increase it with every change below that makes other bytes: rebuild_renditions then finds older renditions.
RECIPE = 1
# Width in pixels and WebP's quality, only listed here. The narrow ones fill a phone's list, where bytes count most.
WIDTHS = {320: 66, 640: 70, 1280: 75}
TALLEST = 16_383  # pixels, by the format
MOST_PIXELS = 4_000_000  # of a rendition: the encoder takes up to 32 bytes for each
METHOD = 3  # of WebP's encoder: 4 takes half as long again for 2 % fewer bytes
SKETCH = 32  # pixels: more than a thumbhash or a colour can hold


class StoredRendition(TypedDict):
    """An entry of Image.renditions: sizes in pixels, and the key of the object."""

    width: int
    height: int
    format: str
    key: str


@dataclass(frozen=True)
class Rendition:
    """A smaller size of an image, in WebP."""

    width: int  # pixels
    height: int  # pixels
    data: bytes


def renditions_as_json(stored: Sequence[StoredRendition], base: str) -> list[dict[str, int | str]]:
    """The renditions of Image.renditions as the API shows them; `base` precedes the key in a URL."""
    return [
        {"width": one["width"], "height": one["height"], "format": one["format"], "url": base + one["key"]}
        for one in stored
    ]


def sizes(width: int, height: int) -> list[tuple[int, int]]:
    """Return the sizes of the renditions of an image of this size, widest first; none is larger than the image."""
    found = [
        (narrower, max(1, round(height * narrower / width))) for narrower in sorted(WIDTHS, reverse=True)
    ]
    return [
        (narrower, tall)
        for narrower, tall in found
        if narrower <= width and tall <= TALLEST and narrower * tall <= MOST_PIXELS
    ]


def scaled(image: Image.Image, width: int, height: int) -> list[Image.Image]:
    """Return the pictures of the renditions of an image of `width` by `height`, widest first, in RGB or RGBA.

    `image` (RGB, RGBX or RGBa) may have fewer pixels, if it is at least as wide as the widest rendition.
    """
    made = []
    for size in sizes(width, height):
        # Each size is made from the one before: faster, without a visible difference.
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
        made.append(image)
    return [straight(one) for one in made]


def straight(image: Image.Image) -> Image.Image:
    """Return a picture of uploads.pipeline.validation.pixels in RGB or RGBA."""
    return image.convert({"RGBa": "RGBA", "RGBX": "RGB"}.get(image.mode, image.mode))


def rendition(image: Image.Image) -> Rendition:
    """Return the picture as a rendition of its width."""
    out = io.BytesIO()
    image.save(out, "WEBP", quality=WIDTHS[image.width], method=METHOD)
    return Rendition(*image.size, out.getvalue())


def sketch(image: Image.Image) -> Image.Image:
    """The picture at most 32 pixels wide and high, in RGB on white.

    White, too, because thumbhash 0.1.2 fails on every picture that is see-through in places.
    """
    scale = min(1.0, SKETCH / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    small = image.resize(size, Image.Resampling.BOX, reducing_gap=3.0).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", size, "white"), small).convert("RGB")


def dominant_colour(small: Image.Image) -> str:
    """The colour of the largest group of like pixels of a sketch, as #rrggbb."""
    grouped = small.quantize(6)
    index = max(range(256), key=grouped.histogram().__getitem__)
    red, green, blue = (grouped.getpalette() or [])[3 * index : 3 * index + 3]
    return f"#{red:02x}{green:02x}{blue:02x}"


def thumb_hash(small: Image.Image) -> str:
    """The thumbhash of a sketch, in base64 (https://evanw.github.io/thumbhash/)."""
    pixels = list(small.convert("RGBA").tobytes())
    return base64.b64encode(bytes(thumbhash.rgba_to_thumb_hash(*small.size, pixels))).decode()


def perceptual_hash(image: Image.Image) -> str:
    """64 bits in hex: for each of 8 × 8 places whether it is brighter than its right neighbour (dHash)."""
    grey = image.convert("L").resize((9, 8), Image.Resampling.BOX).tobytes()
    bits = 0
    for row in range(8):
        for column in range(8):
            bits = bits << 1 | (grey[9 * row + column] > grey[9 * row + column + 1])
    return f"{bits:016x}"
