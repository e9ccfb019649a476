"""The placeholder that an app shows until an image has loaded: its ThumbHash as a small picture.

The format is that of https://evanw.github.io/thumbhash/: a few cosines of lightness and of two colour
differences. The library that makes the hashes has a decoder too, which paints one flat colour.
"""

import base64
import io
import math
from collections.abc import Iterator

from PIL import Image as Picture

LONGER_SIDE = 32  # pixels
NOTHING = 7.5  # the quantity (0 to 15) that adds nothing; replaces what a truncated hash lacks
Cosines = list[tuple[int, int, float]]  # (horizontal, vertical, how much)


def data_uri(thumbhash: str) -> str:
    """Return the placeholder as a data URI; empty for no hash."""
    if not thumbhash:
        return ""
    out = io.BytesIO()
    decoded(base64.b64decode(thumbhash)).save(out, "PNG")
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"


def decoded(data: bytes) -> Picture.Image:
    """Return the picture of a hash, with a longer side of 32 pixels and without transparency."""
    head, tail = int.from_bytes(data[:3], "little"), int.from_bytes(data[3:5], "little")
    has_alpha, is_landscape = bool(head >> 23), bool(tail >> 15)
    across = 5 if has_alpha else 7
    along = max(1, tail & 7)
    columns, rows = (across, along) if is_landscape else (along, across)
    rest = data[6 if has_alpha else 5 :]
    quantities: Iterator[float] = (part for byte in rest for part in (byte & 15, byte >> 4))
    lightness = [(0, 0, (head & 63) / 63)]
    lightness += cosines(quantities, max(3, columns), max(3, rows), (head >> 18 & 31) / 31)
    yellow_blue = [(0, 0, (head >> 6 & 63) / 31.5 - 1)]
    yellow_blue += cosines(quantities, 3, 3, (tail >> 3 & 63) / 63 * 1.25)
    red_green = [(0, 0, (head >> 12 & 63) / 31.5 - 1)]
    red_green += cosines(quantities, 3, 3, (tail >> 9 & 63) / 63 * 1.25)
    ratio = columns / rows
    width, height = (round(side) for side in (LONGER_SIDE * min(1, ratio), LONGER_SIDE / max(1, ratio)))
    planes = [plane(each, width, height) for each in (lightness, yellow_blue, red_green)]
    picture = Picture.new("RGB", (width, height))
    picture.putdata([rgb(*values) for values in zip(*planes, strict=True)])
    return picture


def cosines(quantities: Iterator[float], columns: int, rows: int, scale: float) -> Cosines:
    """Return the cosines of a channel. A hash keeps only the lower frequencies."""
    places = [
        (across, down)
        for down in range(rows)
        for across in range(columns)
        if (across or down) and across * rows < columns * (rows - down)
    ]
    return [(*place, 2 * scale * (next(quantities, NOTHING) / 7.5 - 1)) for place in places]


def plane(channel: Cosines, width: int, height: int) -> list[float]:
    """Return the value of a channel at every pixel, row by row."""
    return [
        sum(
            much
            * math.cos(math.pi / width * (x + 0.5) * across)
            * math.cos(math.pi / height * (y + 0.5) * down)
            for across, down, much in channel
        )
        for y in range(height)
        for x in range(width)
    ]


def rgb(lightness: float, yellow_blue: float, red_green: float) -> tuple[int, int, int]:
    blue = lightness - 2 / 3 * yellow_blue
    red = (3 * lightness - blue + red_green) / 2
    green = red - red_green
    return tuple(round(255 * min(1.0, max(0.0, value))) for value in (red, green, blue))  # type: ignore[return-value]
