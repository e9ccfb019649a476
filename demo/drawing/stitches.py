"""Embroidered cloth: white work, running stitch, fine needlework and chain stitch."""

from __future__ import annotations

import math
from itertools import pairwise

from PIL import Image, ImageChops, ImageFilter

from demo.drawing import bands
from demo.drawing.bands import Strip
from demo.drawing.cloth import Size, mix, spread, tiled
from demo.drawing.loom import motif_tile
from demo.drawing.motifs import Inks, curl, flower, leaf, paisley, poppy, rosette
from demo.drawing.pen import RGB, Pen, Point, petal, smooth
from demo.drawing.style import WHITE, Family, Style


def raised(tile: Image.Image, depth: float = 0.4) -> Image.Image:
    """The tile with light from the upper left on its edges, as thread lies above its cloth."""
    alpha = tile.getchannel("A")
    soft = alpha.filter(ImageFilter.GaussianBlur(1.2))
    relief = ImageChops.subtract(ImageChops.offset(soft, 2, 2), ImageChops.offset(soft, -2, -2), 1, 128)
    relief = relief.point(lambda v: max(0, min(255, round(128 + (v - 128) * depth))))
    shaded = ImageChops.hard_light(tile.convert("RGB"), relief.convert("RGB"))
    shaded.putalpha(alpha)
    return shaded


def stitched(
    pen: Pen, points: list[Point], colour: RGB, width: float, stitch: float, share: float = 0.62
) -> None:
    """A running stitch along a line; `stitch` is one stitch and its gap."""
    left, down = 0.0, True
    run: list[Point] = [points[0]]
    for (x0, y0), (x1, y1) in pairwise(points):
        far = math.hypot(x1 - x0, y1 - y0)
        at = 0.0
        while far - at > (rest := stitch * (share if down else 1 - share) - left):
            at += rest
            here = (x0 + (x1 - x0) * at / far, y0 + (y1 - y0) * at / far)
            if down:
                pen.line([*run, here], colour, width)
            run, left, down = [here], 0.0, not down
        left += far - at
        run.append((x1, y1))


def chikan_plant(pen: Pen, inks: Inks) -> None:
    """Lucknow's flowering creeper: shadow-work petals ringed with knots, jaali hearts, long tendrils."""
    stem = smooth([(-0.1, 1), (0.1, 0.55), (-0.12, 0.15), (0.05, -0.25)], closed=False)
    pen.line(stem, inks.leaf, 0.035)
    for x, y, size in ((0.02, -0.5, 0.4), (-0.5, 0.12, 0.26), (0.5, 0.3, 0.28)):
        head = pen.moved(x, y)
        for each in head.around(7):
            each.shape(petal(size, size * 0.62, 0.66), inks.main)
            each.shape(petal(size * 0.72, size * 0.3, 0.66), inks.second)
            each.dot(0, -size * 1.08, 0.028, inks.main)
        head.dot(0, 0, size * 0.26, inks.main)
    for points in ([(0.08, 0.5), (0.3, 0.42), (0.48, 0.36)], [(-0.1, 0.2), (-0.3, 0.2), (-0.5, 0.16)]):
        pen.line(smooth(points, closed=False), inks.leaf, 0.035)
    for x, y, turn in (
        (0.06, 0.66, 60),
        (-0.02, 0.8, -60),
        (-0.1, 0.28, -40),
        (0.0, 0.02, 50),
        (0.3, 0.44, 160),
        (-0.3, 0.22, 170),
    ):
        pen.moved(x, y).turned(turn).shape(petal(0.34, 0.17), inks.main)
        pen.moved(x, y).turned(turn).line([(0, -0.06), (0, -0.26)], inks.second, 0.025)
    curl(pen.moved(-0.42, 0.7).scaled(0.2), inks)
    curl(pen.moved(0.5, -0.1).turned(150).scaled(0.2), inks)


def chikan(style: Style, size: Size) -> Image.Image:
    """White thread on a pale or coloured fine background, in raised and shadow stitches."""
    cloth = Image.new("RGB", size, style.background)
    thread = style.accent(0)
    inks = Inks(thread, mix(style.background, thread, 0.45), thread)
    plant = chikan_plant if style.motif == "creeper" else style.drawing
    radius = style.rng.choice((78, 96))
    tiles = [raised(motif_tile(plant, inks, radius)), raised(motif_tile(plant, inks, radius, flip=True))]
    spread(cloth, tiles, (radius * 2.3, radius * 1.7))
    return spread(
        cloth,
        [raised(motif_tile(flower, inks, radius * 0.2))],
        (radius * 2.3, radius * 1.7),
        start=(1.0, 1.0),
    )


def chikan_border(style: Style) -> list[Strip]:
    thread = style.accent(0)
    inks = Inks(thread, mix(style.background, thread, 0.45), thread)
    return [
        bands.scallops(26, 40, mix(style.background, thread, 0.4), thread),
        bands.beads(12, mix(style.background, thread, 0.2), thread),
        bands.creeper(90, mix(style.background, thread, 0.12), inks),
        bands.beads(12, mix(style.background, thread, 0.2), thread),
        bands.scallops(30, 40, thread),
        bands.line(12, thread),
    ]


def chikan_pallu(style: Style) -> list[Strip]:
    thread = style.accent(0)
    inks = Inks(thread, mix(style.background, thread, 0.4), thread)
    return [
        bands.scallops(30, 45, mix(style.background, thread, 0.35), thread),
        bands.row(190, 150, mix(style.background, thread, 0.14), paisley, inks, 0.42),
        *chikan_border(style)[1:],
    ]


def kantha(style: Style, size: Size) -> Image.Image:
    """Running stitch: figures outlined and filled, and the background rippled by stitched echoes."""
    side = 300
    pen = Pen.on_tile(side, side, style.background)
    faint = mix(style.background, style.visible_on(style.background, style.border), 0.42)
    for row in range(6, side, 12):
        stitched(pen, [(0, row), (side, row)], faint, 1.6, 15)
    ink = style.visible_on(style.background, style.border)
    inks = Inks(style.visible_on(style.background, style.accent(0)), style.accent(1), style.accent(2), ink)
    for x, y, way in ((0.5, 0.5, 1), (0, 0, -1), (1, 0, -1), (0, 1, -1), (1, 1, -1)):
        spot = pen.moved(side * x, side * y)
        halo = [(math.cos(math.tau * i / 72), math.sin(math.tau * i / 72)) for i in range(73)]
        spot.scaled(82).shape(halo, style.background)
        for reach, tone in ((82, faint), (94, ink)):
            stitched(spot, [(px * reach, py * reach) for px, py in halo], tone, 2, 11)
        style.drawing(spot.scaled(64 * way, 64), inks)
        for k in range(-6, 7):
            across = math.sqrt(max(0, 60**2 - (k * 10) ** 2)) * 0.7
            stitched(
                spot,
                [(-across, k * 10 + 3), (across, k * 10 + 3)],
                mix(inks.main, style.background, 0.35),
                1.5,
                9,
            )
    return tiled(pen.tile().convert("RGB"), size)


def stitched_border(style: Style) -> list[Strip]:
    tones = [style.visible_on(style.border, tone) for tone in (style.accent(0), style.accent(1), WHITE)]

    def lines(pen: Pen, width: float, tall: float) -> None:
        for i, y in enumerate(range(4, int(tall), 8)):
            pen.box(width * 0.1 * (i % 3), y, width * (0.6 + 0.1 * (i % 3)), y + 3, tones[i % 3])

    return [
        Strip(24, style.border, 14, lines),
        bands.creeper(64, style.border, Inks(tones[0], tones[1], tones[2])),
        Strip(32, style.border, 14, lines),
    ]


def stitched_pallu(style: Style) -> list[Strip]:
    inks = Inks(
        style.visible_on(style.border, style.accent(0)),
        style.visible_on(style.border, style.accent(1)),
        style.visible_on(style.border, style.accent(2)),
    )
    lines = stitched_border(style)
    return [*lines, bands.row(190, 180, style.border, style.drawing, inks, 0.42), *lines[1:]]


def sozni(style: Style, size: Size) -> Image.Image:
    """Kashmir needlework: curving mangoes and flowering sprays in many fine colours."""
    rng = style.rng
    cloth = Image.new("RGB", size, style.background)
    line = mix(style.background, style.visible_on(style.background, style.border), 0.7)
    inks = Inks(style.accent(0), style.accent(1), style.accent(2), line)
    if style.motif == "jaal":
        return _spray_net(style, inks, size)
    radius = rng.choice((66, 84))
    tiles = [
        raised(motif_tile(style.drawing, inks, radius)),
        raised(motif_tile(style.drawing, inks.swapped(), radius, flip=True)),
    ]
    spread(cloth, tiles, (radius * 2.4, radius * 1.5))
    small = Inks(style.accent(1), style.accent(0), style.accent(2), line)
    return spread(
        cloth, [motif_tile(poppy, small, radius * 0.36)], (radius * 2.4, radius * 1.5), start=(1.0, 1.0)
    )


def _spray_net(style: Style, inks: Inks, size: Size) -> Image.Image:
    """A scrolling net of sprays (jaal)."""
    side = 300
    pen = Pen.on_tile(side, side, style.background)
    for k in range(2):
        for shift in (-side, 0, side):
            x0 = side * (k + 0.5) / 2 + shift
            line = [
                (x0 + 46 * math.sin(math.tau * i / 30 + math.pi * k), side * i / 30) for i in range(-2, 33)
            ]
            pen.line(line, inks.leaf, 4)
            for i in range(0, 30, 3):
                x, y = line[i + 2]
                way = 1 if (i // 3) % 2 else -1
                leaf(pen.moved(x, y).turned(58 * way).scaled(38), inks)
            for i, way in ((7, -1), (22, 1)):
                x, y = line[i + 2]
                (rosette if i == 7 else flower)(
                    pen.moved(x + 30 * way, y).scaled(30), inks if k else inks.swapped()
                )
    return tiled(raised(pen.tile(), 0.2).convert("RGB"), size)


def needle_border(style: Style) -> list[Strip]:
    background = style.border
    inks = Inks(
        style.visible_on(background, style.accent(0)),
        style.visible_on(background, style.accent(1)),
        style.visible_on(background, style.accent(2)),
    )
    return [
        bands.line(4, inks.second),
        bands.row(26, 22, background, flower, inks, 0.42),
        bands.line(4, inks.second),
        bands.creeper(76, background, inks),
        bands.line(4, inks.second),
        bands.row(26, 22, background, flower, inks, 0.42),
        bands.line(8, background),
    ]


def needle_pallu(style: Style) -> list[Strip]:
    background = style.border
    inks = Inks(
        style.visible_on(background, style.accent(0)),
        style.visible_on(background, style.accent(1)),
        style.visible_on(background, style.accent(2)),
    )
    return [
        *needle_border(style)[:5],
        bands.row(230, 170, background, paisley, inks, 0.43),
        *needle_border(style),
    ]


def aari(style: Style, size: Size) -> Image.Image:
    """Chain stitch with the hooked needle: bold scrolls of flowers."""
    inks = Inks(style.accent(0), style.accent(1), style.accent(2))
    return _spray_net(style, inks, size)


FAMILIES = {
    "chikan": Family(chikan, chikan_border, chikan_pallu),
    "kantha": Family(kantha, stitched_border, stitched_pallu),
    "sozni": Family(sozni, needle_border, needle_pallu),
    "aari": Family(aari, needle_border, needle_pallu),
}
