"""Resist-dyed cloth: tied dots, tied waves, ikat and patola, waxed batik."""

from __future__ import annotations

import math
import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from demo.drawing import bands
from demo.drawing.bands import Strip
from demo.drawing.cloth import Size, mix, noise, spread, stepped, tiled
from demo.drawing.loom import motif_tile, narrow_border, striped_pallu, zari_border, zari_pallu
from demo.drawing.motifs import PAISLEY, Inks, flower
from demo.drawing.pen import RGB, Pen, Point
from demo.drawing.style import WHITE, Family, Style


def knot(pen: Pen, x: float, y: float, size: float, colour: RGB, heart: RGB) -> None:
    """One tied dot: a small uneven square of undyed cloth with a dyed point in it."""
    spot = pen.moved(x, y).scaled(size)
    spot.shape(
        [(-0.9, -0.5), (-0.3, -1), (0.6, -0.85), (1, -0.1), (0.7, 0.8), (-0.1, 1), (-0.85, 0.6)], colour
    )
    spot.dot(0.05, 0, 0.34, heart)


def dotted(points: list[Point], step: float) -> list[Point]:
    """Points at even distance along a closed line."""
    result, left = [], 0.0
    for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1], strict=True):
        far = math.hypot(x1 - x0, y1 - y0)
        while left < far:
            result.append((x0 + (x1 - x0) * left / far, y0 + (y1 - y0) * left / far))
            left += step
        left -= far
    return result


def circle(radius: float, steps: int = 60) -> list[Point]:
    return [
        (radius * math.cos(math.tau * i / steps), radius * math.sin(math.tau * i / steps))
        for i in range(steps)
    ]


def bandhani(style: Style, size: Size) -> Image.Image:
    """Thousands of tied dots: rings and flowers, mangoes, or a grid, with single dots between."""
    rng = style.rng
    side = rng.choice((225, 300))
    pen = Pen.on_tile(side, side, style.background)
    colours = [style.visible_on(style.background, each, WHITE) for each in style.accents] + [WHITE]
    groups = (
        _dot_squares(side, colours) if style.motif == "grid" else _dot_figures(style.motif, side, colours)
    )
    for points, colour in groups:
        for x, y in points:
            at = (x + rng.uniform(-1, 1), y + rng.uniform(-1, 1))
            knot(pen, *at, rng.uniform(3.6, 4.6), colour, style.background)
    return tiled(pen.tile().convert("RGB"), size)


Dots = list[tuple[list[Point], RGB]]


def _dot_squares(side: float, colours: list[RGB]) -> Dots:
    """Dots in even rows, coloured in squares within squares."""
    step = side / 15
    return [
        ([((i + 0.5) * step, (j + 0.5) * step)], colours[max(abs(i - 7), abs(j - 7)) // 2 % len(colours)])
        for j in range(15)
        for i in range(15)
    ]


def _dot_figures(motif: str, side: float, colours: list[RGB]) -> Dots:
    """A mango or a ringed flower in the middle of the tile, small rings at its corners."""

    def around(x0: float, y0: float, line: list[Point], step: float = 12) -> list[Point]:
        return [(x0 + x, y0 + y) for x, y in dotted(line, step)]

    half = side / 2
    groups: Dots = []
    if motif == "mango":
        for scale, colour in ((0.4, colours[0]), (0.28, colours[1]), (0.15, colours[-1])):
            mango = [(x * side * scale, (y + 0.1) * side * scale) for x, y in PAISLEY]
            groups.append((around(half, half, mango), colour))
    else:
        for k, reach in enumerate((0.09, 0.16, 0.23)):
            groups.append((around(half, half, circle(side * reach)), colours[k % len(colours)]))
        angles = [math.tau * i / 90 for i in range(90)]
        reaches = [side * (0.33 + 0.06 * math.cos(8 * a)) for a in angles]
        petals = [(r * math.cos(a), r * math.sin(a)) for a, r in zip(angles, reaches, strict=True)]
        groups += [(around(half, half, petals), colours[0]), ([(half, half)], colours[-1])]
    for x in (0.0, side):
        for y in (0.0, side):
            for k, reach in enumerate((0.05, 0.11)):
                groups.append((around(x, y, circle(side * reach), 11), colours[(k + 1) % len(colours)]))
    for x, y in ((0.0, half), (side, half), (half, 0.0), (half, side)):
        groups.append(([(x, y), (x + 12, y), (x - 12, y), (x, y + 12), (x, y - 12)], colours[-1]))
    return groups


def dot_border(style: Style) -> list[Strip]:
    """Bandhani's border: a dyed band of tied dots between lines."""
    background = style.border
    dots = style.visible_on(background, WHITE)

    def grid(pen: Pen, width: float, tall: float) -> None:
        for j in range(4):
            for i in range(2):
                knot(pen, (i + 0.5) * width / 2, (j + 0.5) * tall / 4, 4, dots, background)

    return [
        bands.line(10, background),
        Strip(18, background, 18, lambda p, w, h: knot(p, w / 2, h / 2, 5, style.accent(0), background)),
        bands.line(5, style.metal),
        bands.line(8, background),
        Strip(64, background, 32, grid),
        bands.line(8, background),
        bands.line(14, style.metal),
        bands.line(8, background),
    ]


def dot_pallu(style: Style) -> list[Strip]:
    background = style.border
    dots = style.visible_on(background, WHITE)

    def rings(pen: Pen, width: float, tall: float) -> None:
        for reach, colour in (
            (0.43, dots),
            (0.32, style.visible_on(background, style.accent(0))),
            (0.2, dots),
            (0.08, dots),
        ):
            for x, y in dotted(circle(tall * reach), 12):
                knot(pen, width / 2 + x, tall / 2 + y, 4.3, colour, background)
        for x in (0, width):
            for y in range(10, int(tall), 14):
                knot(pen, x, y, 4.3, dots, background)

    border = dot_border(style)
    return [
        *border[:5],
        Strip(180, background, 200, rings),
        *border[5:1:-1],
        bands.line(30, style.metal),
        bands.line(10, background),
    ]


def leheriya(style: Style, size: Size) -> Image.Image:
    """Tied diagonal waves; with the motif `mothara` crossed by a second set, leaving dots of light."""
    rng = style.rng
    colours = [style.background, *style.accents, style.border, WHITE]
    side = rng.choice((300, 450))
    cloth = tiled(_waves(rng, side, colours).convert("RGB"), size)
    if style.motif == "mothara":
        crossed = tiled(_waves(rng, side, [style.background, style.border, WHITE]).convert("RGB"), size)
        cloth = ImageChops.multiply(
            cloth, crossed.transpose(Image.Transpose.FLIP_LEFT_RIGHT).point(lambda v: 90 + v * 165 // 255)
        )
    return cloth


def _waves(rng: random.Random, side: int, colours: list[RGB]) -> Image.Image:
    """A square of diagonal zigzag stripes that repeats without a seam."""
    pen = Pen.on_tile(side, side, colours[0], oversample=2)
    plan: list[tuple[float, float, RGB]] = []
    x, bold = 0.0, rng.choice((1.3, 1.8, 2.4))
    while x < side:
        for colour, wide in zip(colours, (22, 9, 14, 7, 5, 6), strict=False):
            plan.append((x, (wide + rng.randint(0, 4)) * bold, colour))
            x += plan[-1][1]
    stretch = side / x
    kinks = 3 * rng.choice((1, 2))

    def edge(x0: float) -> list[Point]:
        points = []
        for j in range(61):
            v = j / 60
            swing = abs((v * kinks) % 1 - 0.5) * 2
            points.append(
                (x0 + side * v + 26 / kinks * 3 * (swing - 0.5) + 1.6 * math.sin(40 * math.tau * v), side * v)
            )
        return points

    for shift in (-2, -1, 0, 1):
        for at, width, colour in plan:
            left = edge(at * stretch + shift * side)
            right = [(px + width * stretch, py) for px, py in left]
            pen.shape(left + right[::-1], colour)
    return pen.tile()


def feathered(tile: Image.Image, rng: random.Random, reach: int, step: int = 3) -> Image.Image:
    """Ikat's edges: every few threads slip a little along the weft, wrapping round the tile."""
    result = Image.new(tile.mode, tile.size)
    for y in range(0, tile.height, step):
        thread = tile.crop((0, y, tile.width, y + step))
        result.paste(ImageChops.offset(thread, rng.randint(-reach, reach), 0), (0, y))
    return result


def ikat(style: Style, size: Size) -> Image.Image:
    """Stepped diamonds within diamonds, dyed into the yarn before weaving."""
    rng = style.rng
    width, height = rng.choice(((150, 200), (180, 180), (225, 300)))
    pen = Pen.on_tile(width, height, style.background)
    tones = [style.accent(0), style.background, style.visible_on(style.background, style.border), WHITE]
    steps = rng.choice((6, 8))
    for cx, cy in ((0.5, 0.5), (0, 0), (1, 0), (0, 1), (1, 1)):
        order = tones if cx == 0.5 else [tones[2], tones[1], tones[0], tones[3]]
        for size_, tone in zip((0.98, 0.74, 0.54, 0.2), order, strict=True):
            for i in range(steps):
                across = width / 2 * size_ * (i + 0.75) / steps
                up = height / 2 * size_ * (steps - i - 0.25) / steps
                pen.box(width * cx - across, height * cy - up, width * cx + across, height * cy + up, tone)
    tile = feathered(pen.tile().convert("RGB"), rng, 4)
    if style.motif in ("diamond", "arrow"):
        return tiled(tile, size)
    figure = Pen.on_tile(width, height).moved(width / 2, height / 2).scaled(width * 0.2)
    style.drawing(figure, Inks(tones[2], WHITE, tones[0]))
    blocky = stepped(figure.tile(), 5)
    tile.paste(blocky, (0, 0), blocky)
    return tiled(feathered(tile, rng, 2), size)


def patola(style: Style, size: Size) -> Image.Image:
    """The double ikat of Patan: figures in a lattice, exact in both warp and weft."""
    rng = style.rng
    side = rng.choice((150, 180))
    pen = Pen.on_tile(side * 2, side * 2, style.background)
    light = style.visible_on(style.background, WHITE)
    for i in range(2):
        for j in range(2):
            x, y = side * (i + 0.5), side * (j + 0.5)
            for scale, tone in ((0.5, light), (0.46, style.border), (0.4, style.background)):
                r = side * scale
                pen.shape(
                    [
                        (x - r, y - r * 0.55),
                        (x - r * 0.55, y - r),
                        (x + r * 0.55, y - r),
                        (x + r, y - r * 0.55),
                        (x + r, y + r * 0.55),
                        (x + r * 0.55, y + r),
                        (x - r * 0.55, y + r),
                        (x - r, y + r * 0.55),
                    ],
                    tone,
                )
            figure = style.drawing if (i + j) % 2 == 0 else flower
            way = 1 if j else -1
            figure(
                pen.moved(x, y).scaled(side * 0.29 * way, side * 0.29),
                Inks(style.accent(0), light, style.accent(1)),
            )
    for x in (0, side, 2 * side):
        for y in (0, side, 2 * side):
            r = side * 0.16
            pen.shape([(x, y - r), (x + r, y), (x, y + r), (x - r, y)], style.accent(1))
            pen.shape([(x, y - r / 2), (x + r / 2, y), (x, y + r / 2), (x - r / 2, y)], light)
    tile = stepped(pen.tile(), 5).convert("RGB")
    return tiled(feathered(tile, rng, 2, 5), size)


def ikat_border(style: Style) -> list[Strip]:
    background, tone = style.border, style.visible_on(style.border, style.accent(0))
    return [
        bands.line(8, background),
        bands.line(4, WHITE),
        bands.diamonds(54, 54, background, tone, WHITE, 6),
        bands.line(4, WHITE),
        bands.line(14, background),
        bands.chevrons(20, 18, background, tone),
        bands.line(16, background),
    ]


def ikat_pallu(style: Style) -> list[Strip]:
    background, tone = style.border, style.visible_on(style.border, style.accent(0))
    inks = Inks(tone, WHITE, style.visible_on(background, style.accent(1)))
    return [
        *(strip for h in (6, 10, 16) for strip in (bands.line(h, background), bands.gap(10))),
        bands.line(10, background),
        bands.diamonds(60, 60, background, tone, WHITE, 7),
        bands.line(6, WHITE),
        bands.pair(140, 300, background, style.drawing, inks, flower, 0.4, 5),
        bands.line(6, WHITE),
        bands.diamonds(60, 60, background, tone, WHITE, 7),
        bands.line(30, background),
        bands.line(5, tone),
        bands.line(14, background),
    ]


def batik(style: Style, size: Size) -> Image.Image:
    """Waxed figures on a dyed background, veined where the wax cracked."""
    rng = style.rng
    cloth = Image.new("RGB", size, style.background)
    light = style.visible_on(style.background, WHITE)
    inks = Inks(light, style.accent(0), mix(light, style.accent(1), 0.5), style.background)
    radius = rng.choice((70, 90))
    tiles = [
        motif_tile(style.drawing, inks, radius, turn=rng.choice((0, 15))),
        motif_tile(flower, inks, radius * 0.6),
    ]
    spread(cloth, tiles, (radius * 2.5, radius * 1.75))
    veins = Image.new("L", size, 0)
    draw = ImageDraw.Draw(veins)
    for _ in range(90):
        x, y, way = rng.uniform(0, size[0]), rng.uniform(0, size[1]), rng.uniform(0, math.tau)
        line = [(x, y)]
        for _ in range(rng.randint(5, 16)):
            way += rng.gauss(0, 0.42)
            x, y = x + 20 * math.cos(way), y + 20 * math.sin(way)
            line.append((x, y))
        draw.line(line, fill=rng.choice((110, 160, 210)), width=rng.choice((1, 1, 2)))
    veins = veins.filter(ImageFilter.GaussianBlur(0.7))
    cloth.paste(mix(style.background, (20, 14, 20), 0.35), (0, 0), veins)
    mottle = (
        noise((30, 40), rng.randint(0, 9999)).resize(size, Image.Resampling.BICUBIC).point(lambda v: v // 6)
    )
    cloth.paste(mix(style.background, WHITE, 0.4), (0, 0), mottle)
    return cloth


def batik_border(style: Style) -> list[Strip]:
    light = style.visible_on(style.border, WHITE)
    inks = Inks(light, style.accent(0), light)
    return [
        bands.line(5, light),
        bands.line(8, style.border),
        bands.creeper(80, style.border, inks),
        bands.line(8, style.border),
        bands.line(5, light),
        bands.line(22, style.border),
    ]


def batik_pallu(style: Style) -> list[Strip]:
    light = style.visible_on(style.border, WHITE)
    inks = Inks(light, style.accent(0), mix(light, style.accent(1), 0.5))
    return [
        *batik_border(style),
        bands.row(170, 150, style.border, style.drawing, inks, 0.42),
        *batik_border(style)[::-1],
    ]


FAMILIES = {
    "bandhani": Family(bandhani, dot_border, dot_pallu),
    "leheriya": Family(leheriya, zari_border, zari_pallu),
    "soft leheriya": Family(leheriya, narrow_border, striped_pallu),
    "ikat": Family(ikat, ikat_border, ikat_pallu),
    "patola": Family(patola, ikat_border, ikat_pallu),
    "batik": Family(batik, batik_border, batik_pallu),
}
