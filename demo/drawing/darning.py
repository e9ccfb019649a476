"""Cloth darned and stitched by the count of its threads: phulkari, Toda bands, kasuti."""

from __future__ import annotations

from PIL import Image

from demo.drawing import bands
from demo.drawing.bands import Strip
from demo.drawing.cloth import Size, mix, tiled
from demo.drawing.loom import narrow_border
from demo.drawing.pen import Pen
from demo.drawing.style import WHITE, Family, Style


def phulkari(style: Style, size: Size) -> Image.Image:
    """Floss silk darned in blocks; each block catches the light by the way its stitches run."""
    rng = style.rng
    cell = rng.choice((120, 150))
    pen = Pen.on_tile(cell, cell, style.background)
    tones = [style.accent(0), style.accent(1), style.accent(2)]
    count = 10
    unit = cell / count
    for j in range(count):
        for i in range(count):
            x, y = i - 4.5, j - 4.5
            ring = abs(x) + abs(y)
            if style.motif == "bagh":
                tone = tones[int(ring / 2) % len(tones)]
            elif ring < 5 and not 2.2 < ring < 3.8:
                tone = tones[0] if ring > 2.2 else tones[1]
            elif ring > 8:
                tone = tones[2]
            else:
                continue
            lightened = mix(tone, WHITE, 0.22) if (x > 0) == (y > 0) else tone
            inset = unit * 0.08
            for k in range(4):
                at = (k + 0.1) / 4 * unit
                if (x > 0) == (y > 0):
                    pen.box(
                        i * unit + at,
                        j * unit + inset,
                        i * unit + at + unit * 0.19,
                        (j + 1) * unit - inset,
                        lightened,
                    )
                else:
                    pen.box(
                        i * unit + inset,
                        j * unit + at,
                        (i + 1) * unit - inset,
                        j * unit + at + unit * 0.19,
                        lightened,
                    )
    return tiled(pen.tile().convert("RGB"), size)


def floss_border(style: Style) -> list[Strip]:
    first, second = style.accent(0), style.accent(1)
    return [
        bands.line(8, style.border),
        bands.diamonds(48, 48, style.border, first, second),
        bands.line(8, style.border),
        bands.bars(20, 16, style.border, second),
        bands.line(16, style.border),
    ]


def floss_pallu(style: Style) -> list[Strip]:
    first, second = style.accent(0), style.accent(1)
    return [
        bands.teeth(48, 48, style.border, steps=6),
        bands.diamonds(72, 72, style.border, first, second, 8),
        bands.line(8, second),
        bands.diamonds(120, 120, style.border, second, first, 10),
        bands.line(8, second),
        bands.chevrons(40, 40, style.border, first),
        bands.line(22, style.border),
    ]


def toda(style: Style, size: Size) -> Image.Image:
    """The Toda cloak: bare cream cloth, crossed by bands of red and black darning."""
    cloth = Image.new("RGB", size, style.background)
    red, black = style.accent(0), style.border
    group = bands.band(
        [
            bands.line(12, red),
            bands.gap(8),
            bands.chevrons(40, 40, None, black),
            bands.gap(6),
            bands.line(8, black),
            bands.gap(6),
            bands.diamonds(72, 72, None, red, black, 9),
            bands.gap(6),
            bands.line(8, black),
            bands.gap(6),
            bands.chevrons(40, 40, None, red),
            bands.gap(8),
            bands.line(12, black),
        ],
        size[0],
    )
    for y in range(style.rng.randint(40, 160), size[1], 420):
        cloth.paste(group, (0, y), group)
    return cloth


def toda_border(style: Style) -> list[Strip]:
    return [bands.line(14, style.accent(0)), bands.gap(8), bands.line(14, style.border), bands.gap(16)]


def toda_pallu(style: Style) -> list[Strip]:
    red, black = style.accent(0), style.border
    return [
        bands.line(16, red),
        bands.gap(6),
        bands.diamonds(110, 90, None, black, red, 11),
        bands.gap(6),
        bands.line(16, red),
        bands.gap(6),
        bands.chevrons(50, 40, None, black),
        bands.gap(6),
        bands.line(30, red),
        bands.gap(8),
        bands.line(30, black),
        bands.gap(14),
    ]


def kasuti(style: Style, size: Size) -> Image.Image:
    """Counted-thread figures in double running stitch, drawn on an invisible grid."""
    thread = style.visible_on(style.background, style.accent(0))
    side = style.rng.choice((150, 180))
    pen = Pen.on_tile(side, side, style.background)
    second = style.visible_on(style.background, style.accent(1))
    u = side / 15
    for x0, y0, tone in ((0.5, 0.5, thread), (0, 0, second), (1, 0, second), (0, 1, second), (1, 1, second)):
        spot = pen.moved(side * x0, side * y0)
        for quarter in spot.around(4):
            quarter.line(
                [
                    (0, 0),
                    (0, -u),
                    (u, -u),
                    (u, -2 * u),
                    (2 * u, -2 * u),
                    (2 * u, -3 * u),
                    (u, -3 * u),
                    (u, -4 * u),
                    (0, -4 * u),
                    (0, -5 * u),
                ],
                tone,
                2.6,
            )
            for way in quarter.mirrored():
                way.line([(u, -4 * u), (2 * u, -4 * u), (2 * u, -3 * u)], tone, 2.6)
                way.line([(0, -5 * u), (u, -6 * u), (0, -6.4 * u)], tone, 2.6)
    return tiled(pen.tile().convert("RGB"), size)


FAMILIES = {
    "phulkari": Family(phulkari, floss_border, floss_pallu),
    "toda": Family(toda, toda_border, toda_pallu),
    "kasuti": Family(kasuti, narrow_border, floss_pallu),
}
