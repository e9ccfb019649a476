"""Backstrap and pit-loom cloths of hill and desert: bands, lozenges and extra-weft figures."""

from __future__ import annotations

from PIL import Image

from demo.drawing import bands
from demo.drawing.bands import Strip
from demo.drawing.cloth import Size, spread, stepped, tiled
from demo.drawing.loom import motif_tile
from demo.drawing.motifs import Inks
from demo.drawing.pen import Pen
from demo.drawing.style import WHITE, Family, Look


def _group(look: Look, thick: int) -> list[Strip]:
    """One set of woven bands: lines, lozenges, zigzags, in the look's colours."""
    ground, rng = look.border, look.rng
    first, second = look.visible_on(ground, look.accent(0)), look.visible_on(ground, look.accent(1))
    if look.motif == "diamond":
        figure = rng.choice(
            (
                bands.diamonds(thick, thick, ground, first, second, 9),
                bands.diamonds(thick, round(thick * 0.7), ground, second, first, 7),
            )
        )
    else:
        figure = bands.row(thick, thick, ground, look.drawing, Inks(first, second, first), 0.42, 4)
    edge = rng.choice(
        (
            bands.chevrons(26, 24, ground, second),
            bands.teeth(22, 22, first, ground, 4),
            bands.bars(18, 14, ground, first),
        )
    )
    return [
        bands.line(8, second),
        bands.line(6, ground),
        edge,
        bands.line(6, ground),
        bands.line(5, first),
        figure,
        bands.line(5, first),
        bands.line(6, ground),
        edge,
        bands.line(6, ground),
        bands.line(8, second),
    ]


def banded(look: Look, size: Size) -> Image.Image:
    """A shawl of broad crossing bands at even distance on a plain ground."""
    cloth = Image.new("RGB", size, look.ground)
    group = bands.band(_group(look, look.rng.choice((70, 90))), size[0])
    gap = look.rng.choice((70, 120, 170))
    for y in range(-group.height // 2, size[1], group.height + gap):
        cloth.paste(group, (0, y), group)
        for k in (0.36, 0.64):
            cloth.paste(
                look.visible_on(look.ground, look.accent(0)),
                (0, int(y + group.height + gap * k), size[0], int(y + group.height + gap * k) + 5),
            )
    return cloth


def upright(look: Look, size: Size) -> Image.Image:
    """The same bands along the warp, as on puans and wrap skirts."""
    return banded(look, (size[1], size[0])).transpose(Image.Transpose.ROTATE_90)


def lozenges(look: Look, size: Size) -> Image.Image:
    """An all-over net of stepped lozenges, a figure in each."""
    side = look.rng.choice((120, 150, 180))
    pen = Pen.on_tile(side, side, look.ground)
    tones = [
        look.visible_on(look.ground, look.accent(0)),
        look.visible_on(look.ground, look.accent(1), look.border),
    ]
    steps = 10
    for size_, tone in (
        (1.0, tones[0]),
        (0.86, look.ground),
        (0.66, tones[1]),
        (0.5, look.ground),
        (0.2, tones[0]),
    ):
        for i in range(steps):
            across, up = side / 2 * size_ * (i + 0.8) / steps, side / 2 * size_ * (steps - i - 0.2) / steps
            pen.box(side / 2 - across, side / 2 - up, side / 2 + across, side / 2 + up, tone)
    for x in (0, side):
        for y in (0, side):
            pen.box(x - side * 0.06, y - side * 0.06, x + side * 0.06, y + side * 0.06, tones[1])
    return tiled(stepped(pen.tile(), 3).convert("RGB"), size)


def scattered(look: Look, size: Size) -> Image.Image:
    """Extra-weft figures in rows on a plain field, in steps of thick thread."""
    cloth = Image.new("RGB", size, look.ground)
    first = look.visible_on(look.ground, look.accent(0))
    second = look.visible_on(look.ground, look.accent(1))
    radius = look.rng.choice((40, 52))
    tiles = [
        motif_tile(look.drawing, Inks(first, second, second), radius, thread=4),
        motif_tile(_lozenge, Inks(second, first, first), radius * 0.6, thread=4),
    ]
    return spread(cloth, tiles, (radius * 3, radius * 2))


def _lozenge(pen: Pen, inks: Inks) -> None:
    for size, tone in ((1, inks.main), (0.55, inks.second)):
        pen.shape([(0, -size), (size, 0), (0, size), (-size, 0)], tone)


def dana(look: Look, size: Size) -> Image.Image:
    """Tangaliya: beads of yarn twisted round the warp, standing in dotted figures."""
    side = 180
    pen = Pen.on_tile(side, side, look.ground)
    tones = [look.visible_on(look.ground, tone, WHITE) for tone in (WHITE, *look.accents)]
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


def shawl_border(look: Look) -> list[Strip]:
    ground = look.border
    first, second = look.visible_on(ground, look.accent(0)), look.visible_on(ground, look.accent(1))
    return [
        bands.line(6, second),
        bands.line(10, ground),
        bands.diamonds(40, 40, ground, first, second, 6),
        bands.line(10, ground),
        bands.line(6, second),
        bands.line(20, ground),
    ]


def shawl_pallu(look: Look) -> list[Strip]:
    return [*_group(look, 80), bands.line(16, look.border), *_group(look, 120), bands.line(24, look.border)]


FAMILIES = {
    "banded": Family(banded, shawl_border, shawl_pallu),
    "upright": Family(upright, shawl_border, shawl_pallu),
    "lozenges": Family(lozenges, shawl_border, shawl_pallu),
    "scattered": Family(scattered, shawl_border, shawl_pallu),
    "dana": Family(dana, shawl_border, shawl_pallu),
}
