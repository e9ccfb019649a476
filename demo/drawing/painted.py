"""Painted cloth: kalamkari, Madhubani, Pattachitra, Warli and Rogan."""

from __future__ import annotations

import math

from PIL import Image

from demo.drawing import bands
from demo.drawing.bands import Strip
from demo.drawing.cloth import Size, mix, spread, tiled
from demo.drawing.creatures import dancer
from demo.drawing.loom import motif_tile
from demo.drawing.motifs import Inks, curl, flower, leaf, rosette, tree
from demo.drawing.pen import Pen, smooth, spiral
from demo.drawing.prints import inked
from demo.drawing.style import WHITE, Family, Style


def kalamkari(style: Style, size: Size) -> Image.Image:
    """Pen-drawn creepers, flowers and birds in vegetable colours, outlined in iron black."""
    side = style.rng.choice((300, 450))
    pen = Pen.on_tile(side, side, style.background, oversample=2)
    line = style.visible_on(style.background, style.border)
    inks = Inks(style.accent(0), style.accent(1), style.accent(2), line)
    unit = side / 300
    for k, phase in enumerate((0.0, math.pi)):
        for shift in (-side, 0, side):
            x0 = side * (0.25 + 0.5 * k) + shift
            stem = [
                (x0 + 52 * unit * math.sin(math.tau * i / 40 + phase), side * i / 40) for i in range(-3, 44)
            ]
            pen.line(stem, line, 5 * unit)
            pen.line(stem, inks.leaf, 2.6 * unit)
            for i in range(0, 40, 4):
                x, y = stem[i + 3]
                way = 1 if (i // 4) % 2 else -1
                leaf(pen.moved(x, y).turned((50 + 20 * (i % 3)) * way).scaled(34 * unit), inks)
                curl(
                    pen.moved(x - 18 * unit * way, y + 10 * unit).turned(90 * way).scaled(9 * unit),
                    Inks(line, line, line),
                )
    for x, y, way in ((0.5, 0.25, 1), (0, 0.75, -1), (1, 0.75, -1)):
        style.drawing(pen.moved(side * x, side * y).scaled(54 * unit * way, 54 * unit), inks)
    for x, y in ((0.5, 0.75), (0, 0.25), (1, 0.25)):
        rosette(pen.moved(side * x, side * y).scaled(46 * unit), inks.swapped())
    return inked(tiled(pen.tile().convert("RGB"), size), style.background, style.rng, 8)


def madhubani(style: Style, size: Size) -> Image.Image:
    """Mithila painting: double outlines, no space left empty."""
    side = 300
    pen = Pen.on_tile(side, side, style.background)
    line = style.visible_on(style.background, style.border)
    inks = Inks(style.accent(0), style.accent(1), style.accent(2), line)
    for x, y, way in ((0.5, 0.25, 1), (0, 0.75, -1), (1, 0.75, -1)):
        style.drawing(pen.moved(side * x, side * y).scaled(66 * way, 66), inks)
    for x, y in ((0.5, 0.75), (0, 0.25), (1, 0.25)):
        spot = pen.moved(side * x, side * y)
        for each in spot.around(8):
            each.line([(0, 0), (0, -56)], line, 2.4)
            leaf(each.moved(0, -34).scaled(30), inks)
            for turn in (-70, 70):
                leaf(each.moved(0, -22).turned(turn).scaled(17), inks)
        rosette(spot.scaled(25), inks)
    for i in range(10):
        for j in range(10):
            x, y = (i + 0.5) * side / 10, (j + 0.5) * side / 10
            if min(math.hypot(x - side * cx, y - side * cy) for cx, cy in _SPOTS) > 76:
                fleck = pen.moved(x, y)
                for turn in (0, 60, 120):
                    fleck.turned(turn).line([(0, -6), (0, 6)], line, 1.6)
    return tiled(pen.tile().convert("RGB"), size)


_SPOTS = ((0.5, 0.25), (0, 0.75), (1, 0.75), (0.5, 0.75), (0, 0.25), (1, 0.25))


def warli(style: Style, size: Size) -> Image.Image:
    """Stick figures in rice white: dancers in a spiral, trees, hills of dots."""
    width, height = 450, 400
    pen = Pen.on_tile(width, height, style.background, oversample=2)
    ink = style.visible_on(style.background, style.accent(0), WHITE)
    inks = Inks(ink, style.background, ink)
    ring = pen.moved(width / 2, height / 2)
    for each in ring.around(16):
        dancer(each.moved(0, -128).scaled(32), inks)
    for i in range(7):
        angle = math.tau * i / 7
        dancer(
            ring.moved(66 * math.cos(angle), 66 * math.sin(angle))
            .turned(math.degrees(angle) + 90)
            .scaled(22),
            inks,
        )
    ring.line(spiral(2.4, 2, 26), ink, 3)
    for x, y in ((0.0, 0), (width, 0), (0, height), (width, height)):
        palm = pen.moved(x, y)
        palm.line([(0, 74), (0, -30)], ink, 4)
        for turn in (-110, -70, -35, 0, 35, 70, 110):
            frond = palm.moved(0, -30).turned(turn)
            frond.line([(0, 0), (0, -44)], ink, 2.4)
            for k in range(1, 6):
                frond.line([(-7, -8 * k + 4), (0, -8 * k - 2), (7, -8 * k + 4)], ink, 2)
    for x in (0.0, width):
        for k in range(5):
            for i in range(-k, k + 1):
                pen.dot(x + i * 11, height / 2 - 30 + k * 12, 2.4, ink)
    return tiled(pen.tile().convert("RGB"), size, top=style.rng.randrange(height))


def pattachitra(style: Style, size: Size) -> Image.Image:
    """Odisha's scroll painting: figures in framed panels with flower backgrounds."""
    side = 225
    pen = Pen.on_tile(side, side, style.border)
    line = style.visible_on(style.border, WHITE)
    centre = pen.moved(side / 2, side / 2)
    half = side * 0.44
    for r, tone in (
        (half, line),
        (half * 0.965, style.accent(1)),
        (half * 0.9, line),
        (half * 0.87, style.background),
    ):
        arch = [
            (-r, r),
            (-r, -r * 0.3),
            *smooth(
                [
                    (-r, -r * 0.3),
                    (-r * 0.62, -r * 0.86),
                    (0, -r * 1.04),
                    (r * 0.62, -r * 0.86),
                    (r, -r * 0.3),
                ],
                closed=False,
            ),
            (r, r),
        ]
        centre.shape(arch, tone)
    dark = mix(style.border, (20, 12, 10), 0.7)
    style.drawing(
        centre.moved(0, 6).scaled(half * 0.66), Inks(style.accent(0), style.accent(1), style.accent(2), dark)
    )
    for x in (0.0, side):
        for y in (0, side):
            rosette(pen.moved(x, y).scaled(side * 0.12), Inks(line, style.accent(0), line, None))
    for x in (-0.34, 0.34):
        leaf(centre.moved(side * x, half * 0.84).scaled(30), Inks(line, line, style.accent(2), dark))
    return tiled(pen.tile().convert("RGB"), size)


def rogan(style: Style, size: Size) -> Image.Image:
    """A tree of life in threads of thick oil colour, mirrored by folding the cloth."""
    cloth = Image.new("RGB", size, style.background)
    inks = Inks(
        style.accent(0), style.accent(1), style.accent(2), style.visible_on(style.background, style.border)
    )
    big = motif_tile(tree, inks, size[0] * 0.34)
    for y in (0.28, 0.84):
        cloth.paste(big, (round(size[0] / 2 - big.width / 2), round(size[1] * y - big.height / 2)), big)
    small = motif_tile(style.drawing, inks, 46)
    for x in (0.14, 0.86):
        for y in range(60, size[1], 190):
            cloth.paste(small, (round(size[0] * x - small.width / 2), y), small)
    curls = motif_tile(curl, inks, 22)
    return spread(cloth, [curls], (size[0] * 0.72, 190), drop=False, start=(1.0, 0.115))


def drawn_border(style: Style) -> list[Strip]:
    """A drawn border: a creeper between hatched lines and beads."""
    background = style.border
    line = style.visible_on(background, WHITE)
    inks = Inks(
        style.visible_on(background, style.accent(0)),
        style.visible_on(background, style.accent(1)),
        style.visible_on(background, style.accent(2)),
    )
    return [
        bands.line(4, line),
        bands.bars(14, 12, background, line),
        bands.line(4, line),
        bands.creeper(78, background, inks),
        bands.line(4, line),
        bands.beads(20, background, inks.second, background),
        bands.line(4, line),
        bands.line(16, background),
    ]


def drawn_pallu(style: Style) -> list[Strip]:
    background = style.border
    line = style.visible_on(background, WHITE)
    inks = Inks(
        style.visible_on(background, style.accent(0)),
        style.visible_on(background, style.accent(1)),
        style.visible_on(background, style.accent(2)),
        mix(background, (18, 10, 8), 0.75),
    )
    return [
        *drawn_border(style)[:5],
        bands.pair(190, 380, background, style.drawing, inks, flower, 0.42),
        bands.line(4, line),
        *drawn_border(style)[1:],
    ]


def warli_border(style: Style) -> list[Strip]:
    ink = style.visible_on(style.border, WHITE)
    return [
        bands.line(4, ink),
        bands.chevrons(26, 28, style.border, ink, 0.16),
        bands.line(4, ink),
        bands.beads(16, style.border, ink),
        bands.teeth(30, 30, ink, style.border),
        bands.line(4, ink),
        bands.line(14, style.border),
    ]


def warli_pallu(style: Style) -> list[Strip]:
    ink = style.visible_on(style.border, WHITE)
    inks = Inks(ink, style.border, ink)
    return [
        *warli_border(style)[:4],
        bands.row(150, 96, style.border, dancer, inks, 0.44),
        *warli_border(style)[1:],
    ]


FAMILIES = {
    "kalamkari": Family(kalamkari, drawn_border, drawn_pallu),
    "madhubani": Family(madhubani, drawn_border, drawn_pallu),
    "pattachitra": Family(pattachitra, drawn_border, drawn_pallu),
    "warli": Family(warli, warli_border, warli_pallu),
    "rogan": Family(rogan, drawn_border, drawn_pallu),
}
