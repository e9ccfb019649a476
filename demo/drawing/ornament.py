"""Cloth with something laid on it: gold wire, mirrors, patches, folded ribbon."""

from __future__ import annotations

from PIL import Image

from demo.drawing import bands
from demo.drawing.bands import Strip
from demo.drawing.cloth import Size, mix, spread, tiled
from demo.drawing.loom import motif_tile
from demo.drawing.motifs import Inks, flower, paisley
from demo.drawing.pen import RGB, Pen, petal
from demo.drawing.stitches import raised, stitched
from demo.drawing.style import WHITE, Family, Style, contrast


def zardozi(style: Style, size: Size) -> Image.Image:
    """Gold wire, sequins and beads couched on velvet or silk."""
    cloth = Image.new("RGB", size, style.background)
    glow = mix(style.metal, WHITE, 0.4)
    inks = Inks(
        style.metal, glow, mix(style.metal, style.background, 0.25), mix(style.metal, (60, 34, 10), 0.5)
    )
    radius = style.rng.choice((70, 90))
    tiles = [
        raised(motif_tile(style.drawing, inks, radius), 0.7),
        raised(motif_tile(style.drawing, inks, radius, flip=True), 0.7),
    ]
    spread(cloth, tiles, (radius * 2.3, radius * 1.65))
    spread(cloth, [motif_tile(_sequin, inks, 5)], (radius * 0.575, radius * 0.55))
    return cloth


def _sequin(pen: Pen, inks: Inks) -> None:
    pen.dot(0, 0, 1, inks.main)
    pen.dot(-0.2, -0.2, 0.45, inks.second)


def gold_border(style: Style) -> list[Strip]:
    glow = mix(style.metal, WHITE, 0.4)
    inks = Inks(style.metal, glow, style.metal)
    return [
        bands.scallops(36, 56, style.metal, style.background),
        bands.beads(14, style.border, glow),
        bands.creeper(86, style.border, inks),
        bands.beads(14, style.border, glow),
        bands.line(10, style.metal),
        bands.scallops(22, 28, style.metal),
        bands.line(14, style.metal),
    ]


def gold_pallu(style: Style) -> list[Strip]:
    inks = Inks(style.metal, mix(style.metal, WHITE, 0.4), style.metal)
    return [
        bands.scallops(46, 90, style.metal, style.background),
        bands.row(210, 180, style.border, style.drawing, inks, 0.43),
        *gold_border(style)[1:],
    ]


def mirror(pen: Pen, radius: float, ring: RGB, second: RGB) -> None:
    """A shisha: a mirror held by a ring of buttonhole stitches."""
    pen.dot(0, 0, radius * 1.5, ring)
    for each in pen.around(18):
        each.box(-radius * 0.07, -radius * 1.75, radius * 0.07, -radius, second)
    pen.dot(0, 0, radius, (176, 190, 198))
    pen.dot(-radius * 0.1, -radius * 0.1, radius * 0.82, (214, 224, 228))
    pen.shape(
        [
            (-radius * 0.6, 0),
            (-radius * 0.2, -radius * 0.6),
            (radius * 0.1, -radius * 0.6),
            (-radius * 0.5, radius * 0.3),
        ],
        (246, 250, 252),
    )


def mirror_work(style: Style, size: Size) -> Image.Image:
    """Kutch: mirrors in dense chain-stitch flowers, in turn with stitched figures, on a grid of stars."""
    side = style.rng.choice((150, 180))
    pen = Pen.on_tile(side * 2, side * 2, style.background)
    tones = [style.visible_on(style.background, tone) for tone in (*style.accents, WHITE)]
    for i in range(2):
        for j in range(2):
            centre = pen.moved(side * (i + 0.5), side * (j + 0.5))
            if (i + j) % 2 and style.motif != "flower":
                style.drawing(
                    centre.scaled(side * (0.36 if j else -0.36), side * 0.36),
                    Inks(tones[0], tones[1], tones[2]),
                )
            else:
                _mirror_flower(centre, side, tones)
            for k in range(4):
                stitched(
                    centre.turned(90 * k),
                    [(-side * 0.3, -side * 0.5), (side * 0.3, -side * 0.5)],
                    tones[-1],
                    3,
                    9,
                )
    for x in (0, side, side * 2):
        for y in (0, side, side * 2):
            corner = pen.moved(x, y)
            for each in corner.around(4):
                each.shape(petal(side * 0.26, side * 0.14, 0.6), tones[1])
            mirror(corner, side * 0.06, tones[-1], tones[0])
    return tiled(raised(pen.tile(), 0.25).convert("RGB"), size)


def _mirror_flower(pen: Pen, side: float, tones: list[RGB]) -> None:
    for reach, turn, tone in ((0.44, 0, tones[0]), (0.36, 15, tones[1])):
        for each in pen.around(12, turn):
            each.shape(petal(side * reach, side * 0.15, 0.7), tone)
    mirror(pen, side * 0.1, tones[2], tones[0])


def mirror_border(style: Style) -> list[Strip]:
    tones = [style.visible_on(style.border, tone) for tone in (*style.accents, WHITE)]

    def discs(pen: Pen, width: float, tall: float) -> None:
        mirror(pen.moved(width / 2, tall / 2), tall * 0.22, tones[0], tones[1])
        for y, way in ((0, 1), (tall, -1)):
            pen.shape([(-width * 0.2, y), (width * 0.2, y), (0, y + way * tall * 0.4)], tones[1])
            pen.shape([(width * 0.8, y), (width * 1.2, y), (width, y + way * tall * 0.4)], tones[1])

    return [
        bands.teeth(26, 32, tones[0]),
        bands.line(6, tones[1]),
        Strip(76, style.border, 76, discs),
        bands.line(6, tones[1]),
        bands.chevrons(26, 24, style.border, tones[0]),
        bands.line(12, style.border),
    ]


def mirror_pallu(style: Style) -> list[Strip]:
    inks = Inks(
        style.visible_on(style.border, style.accent(0)),
        style.visible_on(style.border, style.accent(1)),
        style.visible_on(style.border, style.accent(2)),
    )
    strips = mirror_border(style)
    return [*strips[:5], bands.row(180, 180, style.border, style.drawing, inks, 0.42), *strips[1:]]


def lambani(style: Style, size: Size) -> Image.Image:
    """Banjara patchwork: squares of cloth joined by bands of stitches, shells and mirrors."""
    rng = style.rng
    cell, count = 150, 2
    pen = Pen.on_tile(cell * count, cell * count, style.background)
    patches = [style.background, style.border, *style.accents]
    tones = [WHITE, *style.accents]
    for j in range(count):
        for i in range(count):
            patch = patches[(i + 2 * j) % len(patches)]
            pen.box(i * cell, j * cell, (i + 1) * cell, (j + 1) * cell, patch)
            spot = pen.moved((i + 0.5) * cell, (j + 0.5) * cell)
            seen = [tone for tone in tones if contrast(tone, patch) > 0.2] or [WHITE]
            for k, half in enumerate((66.0, 56.0, 46.0)):
                square = [(-half, -half), (half, -half), (half, half), (-half, half), (-half, -half)]
                stitched(spot, square, seen[k % len(seen)], 4, 12 - k)
            if (i + j) % 2:
                for each in spot.around(8):
                    each.shape(petal(38, 18), seen[0])
                mirror(spot, 11, seen[-1], seen[0])
            else:
                for each in spot.around(4, 45):
                    each.shape([(-16, -34), (16, -34), (0, -12)], seen[rng.randrange(len(seen))])
                    each.dot(0, -44, 5, WHITE)
                mirror(spot, 9, seen[-1], seen[0])
    return tiled(raised(pen.tile(), 0.2).convert("RGB"), size)


def gota(style: Style, size: Size) -> Image.Image:
    """Gold ribbon folded into leaves and flowers and sewn down."""
    side = style.rng.choice((180, 225))
    pen = Pen.on_tile(side, side, style.background)
    gold, fold = style.metal, mix(style.metal, (90, 56, 16), 0.35)

    def ribbon_leaf(spot: Pen, length: float) -> None:
        spot.shape(
            [(0, 0), (length * 0.28, -length * 0.5), (0, -length), (-length * 0.28, -length * 0.5)], gold
        )
        spot.shape([(0, 0), (length * 0.28, -length * 0.5), (0, -length)], fold)

    for x, y in ((0.5, 0.5), (0, 0), (1, 0), (0, 1), (1, 1)):
        spot = pen.moved(side * x, side * y)
        for each in spot.around(8):
            ribbon_leaf(each.moved(0, -side * 0.05), side * 0.17)
        spot.dot(0, 0, side * 0.045, style.accent(0))
        spot.ring(0, 0, side * 0.055, gold, 2)
    for x, y, turn in ((0.25, 0.25, -45), (0.75, 0.75, -45), (0.25, 0.75, 45), (0.75, 0.25, 45)):
        spot = pen.moved(side * x, side * y).turned(turn)
        for way in spot.mirrored():
            ribbon_leaf(way.moved(0, 8).turned(50), side * 0.1)
        for k in (-1, 0, 1):
            spot.dot(0, k * side * 0.06 + 8, 3, style.accent(1))
    return tiled(raised(pen.tile(), 0.3).convert("RGB"), size)


def gota_border(style: Style) -> list[Strip]:
    gold, fold = style.metal, mix(style.metal, (90, 56, 16), 0.35)

    def folds(pen: Pen, width: float, tall: float) -> None:
        pen.shape([(0, tall), (width / 2, 0), (width, tall)], gold)
        pen.shape([(width / 2, tall), (width / 2, 0), (width, tall)], fold)

    return [
        Strip(34, None, 34, folds),
        bands.line(16, gold),
        bands.line(6, style.border),
        bands.row(60, 60, style.border, flower, Inks(gold, fold, gold), 0.4),
        bands.line(6, style.border),
        bands.bars(40, 12, gold, fold),
        bands.line(12, style.border),
    ]


def gota_pallu(style: Style) -> list[Strip]:
    gold, fold = style.metal, mix(style.metal, (90, 56, 16), 0.35)
    strips = gota_border(style)
    return [
        *strips[:3],
        bands.row(180, 150, style.border, paisley, Inks(gold, fold, gold), 0.42),
        bands.line(14, gold),
        *strips[2:],
    ]


FAMILIES = {
    "zardozi": Family(zardozi, gold_border, gold_pallu),
    "mirror": Family(mirror_work, mirror_border, mirror_pallu),
    "lambani": Family(lambani, mirror_border, mirror_pallu),
    "gota": Family(gota, gota_border, gota_pallu),
}
