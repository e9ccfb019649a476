"""Block prints: ajrakh, Bagru, mud-resist Dabu, Sanganeri flowers and gold-leaf khari."""

from __future__ import annotations

import random

from PIL import Image, ImageChops, ImageDraw

from demo.drawing import bands
from demo.drawing.bands import Strip
from demo.drawing.cloth import Size, mix, noise, spread, tiled
from demo.drawing.loom import motif_tile
from demo.drawing.motifs import Inks, coin, curl, flower, leaf, petal, rosette, sprig, star
from demo.drawing.pen import RGB, Pen
from demo.drawing.style import WHITE, Family, Style


def inked(cloth: Image.Image, background: RGB, rng: random.Random, depth: int = 5) -> Image.Image:
    """The uneven take-up of colour from a hand-pressed block: the background shows through in grains."""
    grain = noise((150, 200), rng.randint(0, 9999)).resize(cloth.size, Image.Resampling.BICUBIC)
    cloth.paste(background, (0, 0), grain.point(lambda v: max(0, v - 120) // depth))
    return cloth


def ajrakh(style: Style, size: Size) -> Image.Image:
    """Ajrakh's star lattice: stars and medallions in white resist lines on indigo and madder."""
    side = style.rng.choice((150, 180, 225))
    pen = Pen.on_tile(side, side, style.background)
    red, light, dark = style.accent(0), WHITE, mix(style.background, (14, 12, 22), 0.65)
    r = side / 2
    for x, y in ((0, 0), (side, 0), (0, side), (side, side)):
        spot = pen.moved(x, y)
        spot.dot(0, 0, r * 0.62, light)
        spot.dot(0, 0, r * 0.57, red)
        rosette(spot.scaled(r * 0.5), Inks(light, dark, red, red))
    centre = pen.moved(r, r)
    centre.dot(0, 0, r * 0.8, light)
    centre.dot(0, 0, r * 0.755, dark)
    for each in centre.around(16):
        each.dot(0, -r * 0.67, r * 0.045, light)
    star(centre.scaled(r * 0.6), Inks(light, red, style.background, style.background))
    for i in range(4):
        edge = centre.turned(90 * i)
        for way in edge.mirrored():
            way.moved(0, -r).turned(90).shape(petal(r * 0.34, r * 0.2), light)
            way.moved(r * 0.02, -r).turned(90).shape(petal(r * 0.26, r * 0.11), red)
        edge.dot(0, -r, r * 0.09, red)
    cloth = tiled(pen.tile().convert("RGB"), size)
    return inked(cloth, style.background, style.rng, 6)


def bagru(style: Style, size: Size) -> Image.Image:
    """Rows of butis from a carved block, outline and fill a little out of register."""
    rng = style.rng
    cloth = Image.new("RGB", size, style.background)
    ink, fill = (
        style.visible_on(style.background, style.border),
        style.visible_on(style.background, style.accent(0)),
    )
    radius = rng.choice((34, 44, 56))
    tiles = []
    for _ in range(3):
        tile = motif_tile(style.drawing, Inks(fill, style.accent(1), ink, ink), radius)
        tiles.append(ImageChops.offset(tile, rng.randint(-1, 1), rng.randint(-1, 1)))
    spread(cloth, tiles, (radius * 2.7, radius * 1.6 if rng.random() < 0.5 else radius * 2))
    dots = motif_tile(lambda pen, inks: pen.dot(0, 0, 0.4, inks.main), Inks(ink, ink, ink), 10)
    if rng.random() < 0.5:
        spread(cloth, [dots], (radius * 2.7, radius * 2), start=(1.0, 1.0))
    return inked(cloth, style.background, rng)


def dabu(style: Style, size: Size) -> Image.Image:
    """Mud resist: pale figures on a dyed background, crazed and speckled by the drying mud."""
    rng = style.rng
    pale = mix(style.background, WHITE, 0.82)
    cloth = Image.new("RGB", size, style.background)
    radius = rng.choice((44, 60))
    inks = Inks(pale, style.background, pale, mix(style.background, pale, 0.3))
    tiles = [
        motif_tile(style.drawing, inks, radius),
        motif_tile(rng.choice((coin, flower)), inks, radius * 0.6),
    ]
    spread(cloth, tiles, (radius * 2.4, radius * 1.5))
    speck = ImageDraw.Draw(cloth)
    for _ in range(1500):
        x, y = rng.randrange(size[0]), rng.randrange(size[1])
        speck.ellipse(
            (x, y, x + rng.choice((1, 1, 2)), y + 1), fill=mix(style.background, pale, rng.random() * 0.7)
        )
    return inked(cloth, style.background, rng, 4)


def sanganeri(style: Style, size: Size) -> Image.Image:
    """A fine all-over of flowering plants with scrolls, outlined, on a pale background."""
    rng = style.rng
    width, height = rng.choice(((180, 225), (225, 300)))
    pen = Pen.on_tile(width, height, style.background)
    line = style.visible_on(style.background, style.border)
    inks = Inks(style.accent(0), style.accent(1), style.accent(2), line)
    unit = width * 0.3
    for x, y, way in ((0.5, 0.5, 1), (0, 0, -1), (1, 0, -1), (0, 1, -1), (1, 1, -1)):
        spot = pen.moved(width * x, height * y)
        style.drawing(spot.scaled(unit * way, unit), inks if way > 0 else inks.swapped())
    for x, y, way in ((0.02, 0.5, 1), (1.02, 0.5, 1), (0.52, 0, -1), (0.52, 1, -1)):
        spot = pen.moved(width * x, height * y)
        flower(spot.scaled(unit * 0.3), inks.swapped() if way > 0 else inks)
        for each in spot.around(4, 45):
            leaf(each.moved(0, -unit * 0.28).scaled(unit * 0.4), inks)
    for x, y, turn in ((0.26, 0.26, 0), (0.76, 0.24, 120), (0.26, 0.76, 240), (0.76, 0.76, 60)):
        curl(pen.moved(width * x, height * y).turned(turn).scaled(unit * 0.24), inks)
    return inked(tiled(pen.tile().convert("RGB"), size), style.background, rng, 7)


def khari(style: Style, size: Size) -> Image.Image:
    """Gold or silver printed in rows of butis on a dyed background."""
    cloth = Image.new("RGB", size, style.background)
    radius = style.rng.choice((30, 38))
    inks = Inks(style.metal, style.background, style.metal)
    tiles = [motif_tile(style.drawing, inks, radius), motif_tile(coin, inks, radius * 0.5)]
    return spread(cloth, tiles, (radius * 3, radius * 1.9))


def print_border(style: Style) -> list[Strip]:
    """A printed border: a vine between guard lines and rows of small leaves."""
    background, line = style.border, style.visible_on(style.border, WHITE)
    inks = Inks(
        style.visible_on(background, style.accent(0)), line, style.visible_on(background, style.accent(1))
    )
    return [
        bands.scallops(20, 26, background),
        bands.line(6, background),
        bands.line(3, line),
        bands.row(30, 30, background, flower, inks, 0.42),
        bands.line(3, line),
        bands.creeper(70, background, inks),
        bands.line(3, line),
        bands.line(8, background),
        bands.beads(12, background, line),
        bands.line(12, background),
    ]


def print_pallu(style: Style) -> list[Strip]:
    background, line = style.border, style.visible_on(style.border, WHITE)
    inks = Inks(
        style.visible_on(background, style.accent(0)), line, style.visible_on(background, style.accent(1))
    )
    return [
        *print_border(style)[:5],
        bands.row(170, 140, background, style.drawing, inks, 0.43),
        bands.line(3, line),
        bands.creeper(80, background, inks),
        bands.line(3, line),
        bands.row(30, 30, background, flower, inks, 0.42),
        bands.line(3, line),
        bands.line(24, background),
    ]


def ajrakh_border(style: Style) -> list[Strip]:
    dark = mix(style.background, (14, 12, 22), 0.65)
    red, inks = style.accent(0), Inks(WHITE, style.accent(0), style.background, dark)
    return [
        bands.line(4, WHITE),
        bands.line(12, dark),
        bands.beads(18, dark, WHITE),
        bands.line(4, WHITE),
        bands.row(72, 60, red, star, inks, 0.42),
        bands.line(4, WHITE),
        bands.beads(18, dark, WHITE),
        bands.line(4, WHITE),
        bands.line(26, red),
        bands.line(10, dark),
    ]


def ajrakh_pallu(style: Style) -> list[Strip]:
    dark = mix(style.background, (14, 12, 22), 0.65)
    red = style.accent(0)
    inks = Inks(WHITE, red, style.background, dark)
    return [
        *ajrakh_border(style)[:6],
        bands.row(150, 120, dark, sprig, Inks(red, WHITE, WHITE, None), 0.44),
        *ajrakh_border(style)[1:6],
        bands.creeper(64, dark, inks),
        bands.line(4, WHITE),
        bands.line(34, red),
    ]


FAMILIES = {
    "ajrakh": Family(ajrakh, ajrakh_border, ajrakh_pallu),
    "bagru": Family(bagru, print_border, print_pallu),
    "dabu": Family(dabu, print_border, print_pallu),
    "sanganeri": Family(sanganeri, print_border, print_pallu),
    "khari": Family(khari, print_border, print_pallu),
}
