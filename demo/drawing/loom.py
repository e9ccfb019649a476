"""Woven cloth: brocade, butis, jamdani, checks, stripes and plain fields with zari borders and pallus."""

from __future__ import annotations

import math

from PIL import Image, ImageDraw

from demo.drawing import bands
from demo.drawing.bands import Strip
from demo.drawing.cloth import Size, mix, spread, stepped, tiled
from demo.drawing.motifs import Inks, Motif, almond, coin, flower, leaf, paisley
from demo.drawing.pen import RGB, Pen, petal, smooth
from demo.drawing.style import MOTIFS, WHITE, Family, Style


def motif_tile(
    motif: Motif, inks: Inks, radius: float, *, turn: float = 0, flip: bool = False, thread: int = 0
) -> Image.Image:
    """A motif on a tile just large enough for it."""
    side = round(radius * 2.5)
    pen = (
        Pen.on_tile(side, side)
        .moved(side / 2, side / 2)
        .turned(turn)
        .scaled(-radius if flip else radius, radius)
    )
    motif(pen, inks)
    return stepped(pen.tile(), thread) if thread else pen.tile()


def plain(style: Style, size: Size) -> Image.Image:
    """One colour, shot with a little of the border colour as silk of two yarns is."""
    return Image.new("RGB", size, mix(style.background, style.border, style.rng.choice((0, 0, 0.06))))


def butis(style: Style, size: Size) -> Image.Image:
    """Small motifs strewn in half-drop over a plain field."""
    cloth = plain(style, size)
    small = style.rng.choice((26, 32, 40))
    inks = style.woven_inks
    tiles = [motif_tile(style.drawing, inks, small, thread=2)]
    if style.rng.random() < 0.5:
        tiles.append(motif_tile(style.drawing, inks, small, flip=True, thread=2))
    else:
        tiles.append(motif_tile(style.rng.choice((coin, almond, flower)), inks, small * 0.5, thread=2))
    step = small * style.rng.choice((3.6, 4.2, 5))
    return spread(cloth, tiles, (step, step * 0.62))


def brocade(style: Style, size: Size) -> Image.Image:
    """A jaal: an ogee lattice of vines in zari, a large motif in every mesh."""
    width = style.rng.choice((150, 180, 225))
    height = round(width * 1.36)
    gold, inks = style.metal, style.woven_inks
    pen = Pen.on_tile(width, height, style.background)
    arm = smooth([(0, 0), (0.1, 0.13), (0.36, 0.28), (0.47, 0.42), (0.5, 0.5)], closed=False)
    for flip_x in (1, -1):
        for flip_y in (1, -1):
            for x0, y0 in ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)):
                points = [((x0 + x * flip_x) * width, (y0 + y * flip_y) * height) for x, y in arm]
                pen.line(points, gold, 5)
                for i in (7, 13, 18):
                    for turn in (-58, 64):
                        spot = pen.moved(*points[i]).scaled(flip_x, flip_y).turned(150 + turn)
                        leaf(spot.scaled(width * 0.11), Inks(gold, inks.second, gold))
    for x0, y0 in ((0, 0), (1, 0), (0, 1), (1, 1), (0.5, 0.5)):
        flower(pen.moved(x0 * width, y0 * height).scaled(width * 0.1), inks)
    flip = style.rng.choice((1, -1))
    for x0, y0 in ((0.5, 0), (0.5, 1), (0, 0.5), (1, 0.5)):
        style.drawing(pen.moved(x0 * width, y0 * height).scaled(width * 0.24 * flip, width * 0.24), inks)
    return tiled(stepped(pen.tile(), 2).convert("RGB"), size)


def jangla(style: Style, size: Size) -> Image.Image:
    """A dense jungle of scrolling creepers in zari with coloured flowers."""
    side = 300
    pen = Pen.on_tile(side, side, style.background)
    inks = style.woven_inks
    for k in range(4):
        base = k * side / 4
        for wrap in (-side, 0, side):
            line = [(base + wrap + 30 * math.sin(math.tau * i / 24), side * i / 24) for i in range(-1, 26)]
            pen.line(line, style.metal, 4)
    for k in range(4):
        for j in range(4):
            x, y = side * (k / 4), side * (j / 4 + 0.125 * (k % 2))
            x += 30 * math.sin(math.tau * y / side)
            way = 1 if (j + k) % 2 else -1
            for dx in (-side, 0, side):
                for dy in (-side, 0, side):
                    if not (-70 < x + dx < side + 70 and -70 < y + dy < side + 70):
                        continue
                    spot = pen.moved(x + dx + 24 * way, y + dy)
                    (style.drawing if (j + 2 * k) % 4 == 0 else flower)(
                        spot.scaled(26 if j % 2 else 21), inks
                    )
                    for turn in (30, 150, 210, 330):
                        spot.moved(-24 * way, 20).turned(turn).scaled(24).shape(petal(1, 0.42), style.metal)
    return tiled(stepped(pen.tile(), 2).convert("RGB"), size)


def jamdani(style: Style, size: Size) -> Image.Image:
    """Diagonal rows of supplementary-weft butis on fine muslin."""
    cloth = Image.new("RGB", size, style.background)
    radius = style.rng.choice((24, 30, 38))
    ink = style.visible_on(style.background, style.accent(0))
    inks = Inks(ink, style.visible_on(style.background, style.accent(1), style.border), ink)
    first = motif_tile(style.drawing, inks, radius, turn=style.rng.choice((0, 0, 24)), thread=3)
    second = motif_tile(style.rng.choice((almond, flower, leaf)), inks, radius * 0.5, turn=20, thread=3)
    spread(cloth, [first], (radius * 4.4, radius * 3.4), drop=True)
    return spread(cloth, [second], (radius * 4.4, radius * 3.4), drop=True, start=(1.0, 1.0))


def check(style: Style, size: Size) -> Image.Image:
    """Woven checks: bars of colour crossing, lighter where they meet the background."""
    cell = style.rng.choice((60, 84, 120))
    tile = Image.new("RGB", (cell, cell), style.background)
    pens = [(0, style.rng.choice((6, cell // 5, cell // 3)), style.border)]
    pens.append((cell * 3 // 4 - 3, 4, style.accent(0)))
    if style.rng.random() < 0.5:
        pens.append((cell * 3 // 4 + 5, 3, style.visible_on(style.background, style.accent(1))))
    draw = ImageDraw.Draw(tile)
    for at, wide, colour in pens:
        draw.rectangle((at, 0, at + wide - 1, cell), fill=mix(style.background, colour, 0.62))
    for at, wide, colour in pens:
        for x in range(cell):
            under = tile.getpixel((x, (at + cell // 2 + wide) % cell))
            blend = mix(under, colour, 0.6)  # type: ignore[arg-type]
            draw.line((x, at, x, at + wide - 1), fill=blend)
    return tiled(tile, size)


def checked_butis(style: Style, size: Size) -> Image.Image:
    """Fine zari checks with a buti in each."""
    cell = style.rng.choice((72, 96))
    pen = Pen.on_tile(cell, cell, style.background)
    pen.box(0, 0, 3, cell, style.metal)
    pen.box(0, 0, cell, 3, style.metal)
    style.drawing(pen.moved(cell / 2 + 1, cell / 2 + 1).scaled(cell * 0.27), style.woven_inks)
    return tiled(stepped(pen.tile(), 2).convert("RGB"), size)


def gauze(style: Style, size: Size) -> Image.Image:
    """Kota's khat: a tiny open check of thick and thin yarns, with small motifs."""
    cell = 12
    tile = Image.new("RGB", (cell, cell), mix(style.background, WHITE, 0.3))
    draw = ImageDraw.Draw(tile)
    draw.rectangle((0, 0, 2, cell), fill=mix(style.background, (0, 0, 0), 0.1))
    draw.rectangle((0, 0, cell, 2), fill=mix(style.background, (0, 0, 0), 0.14))
    cloth = tiled(tile, size)
    inks = Inks(style.metal, style.border, style.accent(0))
    step = style.rng.choice((120, 150))
    return spread(cloth, [motif_tile(style.drawing, inks, step * 0.2)], (step, step * 0.8))


def stripes(style: Style, size: Size) -> Image.Image:
    """Warp stripes of several widths, mirrored about the middle of each repeat."""
    rng = style.rng
    colours = [style.background, style.border, *style.accents]
    widths: list[tuple[int, RGB]] = []
    x = 0
    while x < 110:
        wide = rng.choice((4, 6, 10, 18, 26))
        widths.append((wide, colours[len(widths) % len(colours)]))
        x += wide
    tile = Image.new("RGB", (x * 2, 8), style.background)
    draw = ImageDraw.Draw(tile)
    at = 0
    for wide, colour in widths:
        draw.rectangle((at, 0, at + wide - 1, 8), fill=colour)
        draw.rectangle((2 * x - at - wide, 0, 2 * x - at - 1, 8), fill=colour)
        at += wide
    return tiled(tile, size)


def pinstripes(style: Style, size: Size) -> Image.Image:
    """A plain field with fine lines far apart."""
    step = style.rng.choice((30, 45, 60))
    tile = Image.new("RGB", (step, 8), style.background)
    ImageDraw.Draw(tile).rectangle((0, 0, 2, 8), fill=style.visible_on(style.background, style.metal))
    return tiled(tile, size)


def spots(style: Style, size: Size) -> Image.Image:
    """Khun's tiny repeat: one small figure every few threads."""
    cell = style.rng.choice((30, 36))
    pen = Pen.on_tile(cell, cell * 2, style.background)
    inks = Inks(style.accent(0), style.border, style.accent(1))
    for x, y in ((0.5, 0.5), (0, 1.5), (1, 1.5)):
        style.drawing(pen.moved(cell * x, cell * y).scaled(cell * 0.36), inks)
    return tiled(stepped(pen.tile(), 2).convert("RGB"), size)


def zari_border(style: Style) -> list[Strip]:
    """The broad border of a silk: spires, a row of motifs or a creeper, and close lines of zari."""
    gold, background, inks = style.metal, style.border, style.border_inks
    rng = style.rng
    spires = [bands.teeth(44, 36, background, steps=11)]
    top: list[Strip] = rng.choice(
        (
            spires,
            [bands.line(4, gold), bands.gap(6), bands.line(10, gold)],
            [bands.scallops(22, 30, gold), bands.line(5, background)],
            [bands.diamonds(24, 24, None, gold)],
        )
    )
    middle: Strip = rng.choice(
        (
            bands.row(76, 76, background, style.drawing, inks, 0.4, 2),
            bands.creeper(66, background, inks, 2),
            bands.row(64, 52, background, paisley, inks, 0.42, 2),
            bands.diamonds(60, 60, background, gold, style.accent(0), 8),
        )
    )
    if style.motif == "temple":
        top = spires
    if style.motif == "rudraksha":
        middle = bands.row(56, 50, background, style.drawing, inks, 0.42, 2)
    return [
        *top,
        bands.line(12, background),
        bands.line(5, gold),
        bands.line(5, background),
        bands.beads(16, background, gold),
        bands.line(4, gold),
        middle,
        bands.line(4, gold),
        bands.beads(16, background, gold),
        bands.line(6, background),
        bands.line(16, gold),
        bands.line(4, background),
        bands.line(5, gold),
        bands.line(10, background),
    ]


def narrow_border(style: Style) -> list[Strip]:
    """The slim border of a cotton or a light silk."""
    colour, edge = style.border, style.visible_on(style.border, style.metal)
    named = {
        "temple": bands.teeth(34, 30, colour, steps=8),
        "rudraksha": bands.row(34, 34, colour, style.drawing, Inks(edge, colour, edge), 0.44),
        "wave": bands.chevrons(28, 40, colour, edge, 0.22),
    }
    figure = style.rng.choice(
        (
            bands.diamonds(26, 26, colour, edge),
            bands.chevrons(22, 24, colour, edge),
            bands.beads(18, colour, edge),
            bands.bars(18, 10, colour, edge),
        )
    )
    return [
        *([named["temple"]] if style.motif == "temple" else [bands.line(4, edge), bands.gap(5)]),
        bands.line(10, colour),
        bands.line(3, edge),
        figure if style.motif == "temple" else named.get(style.motif, figure),
        bands.line(3, edge),
        bands.line(26, colour),
        bands.line(6, edge),
        bands.line(8, colour),
    ]


def zari_pallu(style: Style) -> list[Strip]:
    """A rich pallu: the leading motif large, between creepers, beads and solid zari."""
    gold, background, inks = style.metal, style.border, style.border_inks
    rng = style.rng
    figure = style.drawing
    big = rng.choice((150, 180))
    main = (
        bands.pair(big, big * 2, background, figure, inks, coin, 0.4, 2)
        if style.motif in ("peacock", "parrot", "swan", "elephant", "horse", "deer")
        else bands.row(big, round(big * 0.86), background, figure, inks, 0.42, 2)
    )
    return [
        bands.teeth(52, 36, background, steps=13)
        if rng.random() < 0.6
        else bands.scallops(34, 45, background, gold),
        bands.line(10, background),
        bands.line(5, gold),
        bands.creeper(56, background, inks, 2),
        bands.line(5, gold),
        bands.beads(18, background, gold),
        bands.line(14, gold),
        bands.line(4, background),
        main,
        bands.line(4, background),
        bands.line(14, gold),
        bands.beads(18, background, gold),
        bands.diamonds(36, 36, background, gold, style.accent(0)),
        bands.line(26, gold),
        bands.line(6, background),
        bands.line(4, gold),
        bands.line(14, background),
    ]


def striped_pallu(style: Style) -> list[Strip]:
    """A pallu of crossing bars, as handloom cottons have."""
    colour, edge = style.border, style.visible_on(style.border, style.metal)
    strips: list[Strip] = []
    for height in (4, 8, 14, 24, 44):
        strips += [bands.line(height, colour), bands.gap(14)]
    return [
        *strips,
        bands.line(8, edge),
        bands.row(70, 70, colour, style.drawing, Inks(edge, style.background, edge), 0.38, 2),
        bands.line(8, edge),
        bands.line(30, colour),
        bands.line(4, edge),
        bands.line(16, colour),
    ]


def tissue_border(style: Style) -> list[Strip]:
    """Kasavu: a plain broad band of gold beside a thin line of colour."""
    return [
        bands.line(5, style.accent(0)),
        bands.line(5, style.background),
        bands.line(style.rng.choice((60, 84)), style.metal),
        bands.line(8, style.background),
    ]


def tissue_pallu(style: Style) -> list[Strip]:
    inks = Inks(style.metal, style.accent(0), style.accent(1), None)
    return [
        bands.line(5, style.metal),
        bands.gap(12),
        bands.line(12, style.metal),
        bands.gap(14),
        bands.pair(190, 380, None, style.drawing, inks, MOTIFS["lotus"], 0.42),
        bands.gap(10),
        bands.line(5, style.accent(0)),
        bands.line(5, style.background),
        bands.line(110, style.metal),
        bands.line(8, style.background),
    ]


FAMILIES = {
    "brocade": Family(brocade, zari_border, zari_pallu),
    "jangla": Family(jangla, zari_border, zari_pallu),
    "silk": Family(butis, zari_border, zari_pallu),
    "plain silk": Family(plain, zari_border, zari_pallu),
    "checked silk": Family(checked_butis, zari_border, zari_pallu),
    "light buti": Family(butis, narrow_border, zari_pallu),
    "jamdani": Family(jamdani, narrow_border, striped_pallu),
    "check": Family(check, narrow_border, striped_pallu),
    "gauze": Family(gauze, narrow_border, striped_pallu),
    "stripe": Family(stripes, narrow_border, striped_pallu),
    "pinstripe": Family(pinstripes, narrow_border, striped_pallu),
    "plain cotton": Family(plain, narrow_border, striped_pallu),
    "spots": Family(spots, zari_border, zari_pallu),
    "kasavu": Family(plain, tissue_border, tissue_pallu),
}
