"""Backstrap and pit-loom cloths of hill and desert: bands, lozenges and extra-weft figures."""

from __future__ import annotations

from PIL import Image

from demo.drawing import bands
from demo.drawing.bands import Strip
from demo.drawing.cloth import Size, spread, stepped, tiled
from demo.drawing.loom import motif_tile
from demo.drawing.motifs import Inks
from demo.drawing.pen import Pen
from demo.drawing.style import WHITE, Family, Style


def _group(style: Style, thick: int) -> list[Strip]:
    """One set of woven bands: lines, lozenges, zigzags, in the style's colours."""
    background, rng = style.border, style.rng
    first, second = (
        style.visible_on(background, style.accent(0)),
        style.visible_on(background, style.accent(1)),
    )
    if style.motif == "diamond":
        figure = rng.choice(
            (
                bands.diamonds(thick, thick, background, first, second, 9),
                bands.diamonds(thick, round(thick * 0.7), background, second, first, 7),
            )
        )
    else:
        figure = bands.row(thick, thick, background, style.drawing, Inks(first, second, first), 0.42, 4)
    edge = rng.choice(
        (
            bands.chevrons(26, 24, background, second),
            bands.teeth(22, 22, first, background, 4),
            bands.bars(18, 14, background, first),
        )
    )
    return [
        bands.line(8, second),
        bands.line(6, background),
        edge,
        bands.line(6, background),
        bands.line(5, first),
        figure,
        bands.line(5, first),
        bands.line(6, background),
        edge,
        bands.line(6, background),
        bands.line(8, second),
    ]


def banded(style: Style, size: Size) -> Image.Image:
    """A shawl of broad crossing bands at even distance on a plain background."""
    cloth = Image.new("RGB", size, style.background)
    group = bands.band(_group(style, style.rng.choice((70, 90))), size[0])
    gap = style.rng.choice((70, 120, 170))
    for y in range(-group.height // 2, size[1], group.height + gap):
        cloth.paste(group, (0, y), group)
        for k in (0.36, 0.64):
            cloth.paste(
                style.visible_on(style.background, style.accent(0)),
                (0, int(y + group.height + gap * k), size[0], int(y + group.height + gap * k) + 5),
            )
    return cloth


def upright(style: Style, size: Size) -> Image.Image:
    """The same bands along the warp, as on puans and wrap skirts."""
    return banded(style, (size[1], size[0])).transpose(Image.Transpose.ROTATE_90)


def lozenges(style: Style, size: Size) -> Image.Image:
    """An all-over net of stepped lozenges, a figure in each."""
    side = style.rng.choice((120, 150, 180))
    pen = Pen.on_tile(side, side, style.background)
    tones = [
        style.visible_on(style.background, style.accent(0)),
        style.visible_on(style.background, style.accent(1), style.border),
    ]
    steps = 10
    for size_, tone in (
        (1.0, tones[0]),
        (0.86, style.background),
        (0.66, tones[1]),
        (0.5, style.background),
        (0.2, tones[0]),
    ):
        for i in range(steps):
            across, up = side / 2 * size_ * (i + 0.8) / steps, side / 2 * size_ * (steps - i - 0.2) / steps
            pen.box(side / 2 - across, side / 2 - up, side / 2 + across, side / 2 + up, tone)
    for x in (0, side):
        for y in (0, side):
            pen.box(x - side * 0.06, y - side * 0.06, x + side * 0.06, y + side * 0.06, tones[1])
    return tiled(stepped(pen.tile(), 3).convert("RGB"), size)


def scattered(style: Style, size: Size) -> Image.Image:
    """Extra-weft figures in rows on a plain field, in steps of thick thread."""
    cloth = Image.new("RGB", size, style.background)
    first = style.visible_on(style.background, style.accent(0))
    second = style.visible_on(style.background, style.accent(1))
    radius = style.rng.choice((40, 52))
    tiles = [
        motif_tile(style.drawing, Inks(first, second, second), radius, thread=4),
        motif_tile(_lozenge, Inks(second, first, first), radius * 0.6, thread=4),
    ]
    return spread(cloth, tiles, (radius * 3, radius * 2))


def _lozenge(pen: Pen, inks: Inks) -> None:
    for size, tone in ((1, inks.main), (0.55, inks.second)):
        pen.shape([(0, -size), (size, 0), (0, size), (-size, 0)], tone)


def dana(style: Style, size: Size) -> Image.Image:
    """Tangaliya: beads of yarn twisted round the warp, standing in dotted figures."""
    side = 180
    pen = Pen.on_tile(side, side, style.background)
    tones = [style.visible_on(style.background, tone, WHITE) for tone in (WHITE, *style.accents)]
    count = 15
    step = side / count
    for j in range(count):
        for i in range(count):
            x, y = abs(i - 7), abs(j - 7)
            if (
                x + y in (7, 5)
                or x == y == 7
                or (x + y == 0)
                or (x + y == 2)
                or (x == 7 and y < 2)
                or (y == 7 and x < 2)
            ):
                pen.dot((i + 0.5) * step, (j + 0.5) * step, step * 0.34, tones[(x + y) % len(tones)])
    return tiled(pen.tile().convert("RGB"), size)


def shawl_border(style: Style) -> list[Strip]:
    background = style.border
    first, second = (
        style.visible_on(background, style.accent(0)),
        style.visible_on(background, style.accent(1)),
    )
    return [
        bands.line(6, second),
        bands.line(10, background),
        bands.diamonds(40, 40, background, first, second, 6),
        bands.line(10, background),
        bands.line(6, second),
        bands.line(20, background),
    ]


def shawl_pallu(style: Style) -> list[Strip]:
    return [
        *_group(style, 80),
        bands.line(16, style.border),
        *_group(style, 120),
        bands.line(24, style.border),
    ]


FAMILIES = {
    "banded": Family(banded, shawl_border, shawl_pallu),
    "upright": Family(upright, shawl_border, shawl_pallu),
    "lozenges": Family(lozenges, shawl_border, shawl_pallu),
    "scattered": Family(scattered, shawl_border, shawl_pallu),
    "dana": Family(dana, shawl_border, shawl_pallu),
}
