"""Sewn garments laid on a wall: kurta, sherwani, salwar suit, blouse and lehenga."""

from __future__ import annotations

import math
from collections.abc import Callable

from PIL import Image, ImageChops, ImageDraw

from demo.drawing.bands import band
from demo.drawing.cloth import mix, sheen
from demo.drawing.pen import Pen, Point, smooth
from demo.drawing.stage import SIZE, outline, set_down, wall
from demo.drawing.style import Family, Style

Warp = Callable[[float, float], tuple[float, float]]


def warped(
    cloth: Image.Image, box: tuple[int, int, int, int], source: Warp, columns: int = 20, rows: int = 20
) -> Image.Image:
    """A picture-sized image whose `box` shows the cloth through `source`: picture point → cloth point."""
    left, top, right, bottom = box
    xs = [left + (right - left) * i // columns for i in range(columns + 1)]
    ys = [top + (bottom - top) * j // rows for j in range(rows + 1)]
    at = [[source(x, y) for x in xs] for y in ys]
    mesh = [
        ((xs[i], ys[j], xs[i + 1], ys[j + 1]), (*at[j][i], *at[j + 1][i], *at[j + 1][i + 1], *at[j][i + 1]))
        for j in range(rows)
        for i in range(columns)
    ]
    return cloth.transform(SIZE, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)


def both_sides(points: list[Point]) -> list[Point]:
    """A half outline about the middle of the picture, closed by its mirror image."""
    return points + [(SIZE[0] - x, y) for x, y in reversed(points)]


def seams(scene: Image.Image, lines: list[list[Point]], strength: int = 90) -> None:
    """Thin soft shadows along seams and openings."""
    mask = Image.new("L", SIZE, 0)
    draw = ImageDraw.Draw(mask)
    for points in lines:
        draw.line(points, fill=strength, width=3, joint="curve")
    scene.paste((30, 18, 16), (0, 0), mask)


def trim(
    scene: Image.Image, style: Style, family: Family, box: tuple[int, int, int, int], mask: Image.Image
) -> None:
    """A horizontal border within the box, clipped to the garment."""
    left, top, right, bottom = box
    strips = band(family.border(style), right - left)
    strips = strips.resize((right - left, bottom - top), Image.Resampling.BILINEAR)
    scene.paste(strips, (left, top), ImageChops.multiply(strips.getchannel("A"), mask.crop(box)))


def back(scene: Image.Image, style: Style, points: list[Point]) -> None:
    """The inside of a garment's back, seen through its neck."""
    set_down(
        scene,
        style,
        Image.new("RGB", SIZE, mix(style.border, (24, 14, 12), 0.4)),
        outline(both_sides(points)),
        lift=4,
    )


def buttons(scene: Image.Image, style: Style, x: float, ys: list[int]) -> None:
    pen = Pen.on_tile(22, 22)
    pen.dot(11, 11, 10, mix(style.metal, (40, 20, 10), 0.6))
    pen.dot(11, 10.5, 8.5, style.metal)
    pen.dot(9, 8, 3.4, mix(style.metal, (255, 255, 255), 0.6))
    tile = pen.tile()
    for y in ys:
        scene.paste(tile, (round(x) - 11, y - 11), tile)


def yoke(cloth: Image.Image, style: Style, family: Family, depth: int, width: int) -> None:
    """A placket of border down the front and a band along the neck, pasted flat on the cloth."""
    strips = band(family.border(style), depth)
    strips = strips.resize((depth, width // 2), Image.Resampling.BILINEAR)
    down = strips.transpose(Image.Transpose.ROTATE_90)
    centre = SIZE[0] // 2
    cloth.paste(down, (centre - width // 2, 120), down)
    other = down.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    cloth.paste(other, (centre, 120), other)


def kurta(family: Family, style: Style) -> Image.Image:
    """A straight kurta, arms a little out, with worked placket, cuffs and hem."""
    scene = wall(style)
    cloth = family.field(style, SIZE)
    yoke(cloth, style, family, 380, 110)
    hem = band(family.border(style), SIZE[0])
    cloth.paste(hem, (0, 1140 - hem.height), hem)
    body = both_sides(
        [
            (388, 118),
            (330, 132),
            (282, 158),
            (262, 300),
            (268, 420),
            (258, 620),
            (226, 900),
            (204, 1138),
            (330, 1148),
            (450, 1150),
        ]
    )
    neck = both_sides([(388, 110), (396, 160), (420, 196), (450, 206)])
    sleeve = [(330, 134), (280, 158), (226, 230), (150, 520), (118, 690), (206, 716), (262, 500), (300, 330)]
    other = [(SIZE[0] - x, y) for x, y in sleeve]
    arm = outline(sleeve, other)
    arms = family.field(style, SIZE)
    set_down(scene, style, arms, arm, sheen(SIZE, style.rng, 2.2, 0.26))
    for left, way in ((118, 1), (SIZE[0] - 118, -1)):
        cuff = [(left, 690), (left + 88 * way, 716), (left + 102 * way, 664), (left + 13 * way, 640)]
        scene.paste(style.border, (0, 0), outline(cuff))
        seams(scene, [[cuff[2], cuff[3]]])
    torso = ImageChops.subtract(outline(body), outline(neck))
    back(scene, style, [(450, 150), (412, 142), (386, 116), (390, 215), (450, 226)])
    set_down(scene, style, cloth, torso, sheen(SIZE, style.rng, 1.8, 0.26))
    seams(scene, [[(450, 206), (450, 500)], [(262, 760), (226, 905)], [(638, 760), (674, 905)]])
    scene.paste(
        style.metal,
        (0, 0),
        ImageChops.subtract(
            outline(both_sides([(380, 118), (390, 166), (416, 206), (450, 218)])), outline(neck)
        ),
    )
    buttons(scene, style, 450, [250, 310, 370, 430])
    return scene


def sherwani(family: Family, style: Style) -> Image.Image:
    """A long coat with a standing collar, open below, buttons down to the waist."""
    scene = wall(style)
    sleeve = [(322, 150), (272, 172), (214, 260), (160, 560), (150, 760), (236, 772), (268, 560), (302, 360)]
    arms = outline(sleeve, [(SIZE[0] - x, y) for x, y in sleeve])
    field = family.field(style, SIZE)
    set_down(scene, style, field, arms, sheen(SIZE, style.rng, 2.4, 0.26))
    for x, way in ((150, 1), (SIZE[0] - 150, -1)):
        scene.paste(
            style.metal,
            (0, 0),
            outline([(x, 750), (x + 86 * way, 762), (x + 86 * way, 774), (x, 762)]),
        )
    trousers = both_sides([(300, 1040), (316, 1188), (436, 1188), (450, 1080)])
    pale = mix((240, 228, 204), style.accent(0), 0.06)
    set_down(scene, style, Image.new("RGB", SIZE, pale), outline(trousers))
    left = [
        (450, 148),
        (400, 134),
        (322, 150),
        (274, 172),
        (268, 320),
        (276, 470),
        (254, 760),
        (224, 1078),
        (330, 1096),
        (428, 1100),
        (450, 620),
    ]
    right = [(SIZE[0] - x, y) for x, y in left]
    edge = (
        band(family.border(style), 1000)
        .resize((1000, 44), Image.Resampling.BILINEAR)
        .transpose(Image.Transpose.ROTATE_90)
    )
    for shape, x in ((right, 450), (left, 406)):
        cloth = field.copy()
        side = edge if x < 450 else edge.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        cloth.paste(side, (x, 140), side)
        set_down(scene, style, cloth, outline(shape), sheen(SIZE, style.rng, 1.6, 0.26), lift=8)
    collar = both_sides([(398, 136), (394, 84), (450, 98)])
    set_down(scene, style, Image.new("RGB", SIZE, style.metal), outline(collar), lift=6)
    seams(scene, [[(450, 98), (450, 620)]])
    buttons(scene, style, 450, [122, 190, 260, 330, 400, 470, 540, 606])
    return scene


def salwar_suit(family: Family, style: Style) -> Image.Image:
    """A flared kurta over a salwar, its dupatta over one shoulder."""
    scene = wall(style)
    leg = both_sides([(250, 900), (262, 1050), (330, 1176), (404, 1182), (440, 1000), (450, 960)])
    set_down(scene, style, Image.new("RGB", SIZE, style.border), outline(leg), sheen(SIZE, style.rng, 5, 0.4))
    sleeve = [(334, 112), (284, 134), (236, 200), (180, 400), (158, 500), (244, 524), (276, 390), (306, 280)]
    field = family.field(style, SIZE)
    set_down(
        scene,
        style,
        field,
        outline(sleeve, [(SIZE[0] - x, y) for x, y in sleeve]),
        sheen(SIZE, style.rng, 2.2, 0.26),
    )
    cloth = field.copy()
    yoke(cloth, style, family, 240, 120)
    hem = band(family.border(style), SIZE[0])
    cloth.paste(hem, (0, 1006 - hem.height), hem)
    body = both_sides(
        [
            (390, 96),
            (334, 110),
            (286, 134),
            (272, 280),
            (284, 400),
            (250, 640),
            (190, 1000),
            (320, 1016),
            (450, 1020),
        ]
    )
    neck = both_sides([(390, 88), (400, 140), (450, 190)])
    back(scene, style, [(450, 126), (414, 118), (388, 94), (392, 190), (450, 214)])
    set_down(
        scene,
        style,
        cloth,
        ImageChops.subtract(outline(body), outline(neck)),
        sheen(SIZE, style.rng, 2.6, 0.3),
    )
    veil = family.field(style.contrasted(), (320, 1200))
    edge = band(family.border(style), 1200).transpose(Image.Transpose.ROTATE_90)
    edge = edge.resize((56, 1200), Image.Resampling.BILINEAR)
    veil.paste(edge.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (0, 0))
    veil.paste(edge, (264, 0))
    flow = warped(
        veil,
        (500, 60, 800, 1160),
        lambda x, y: (min(318.0, max(1.0, (x - 548 - 26 * math.sin(y / 260)) * 1.5)), y),
    )
    shape = smooth(
        [
            (548, 92),
            (610, 84),
            (668, 110),
            (700, 330),
            (690, 640),
            (730, 960),
            (744, 1130),
            (590, 1140),
            (566, 900),
            (590, 620),
            (560, 330),
        ]
    )
    set_down(scene, style, flow, outline(shape), sheen(SIZE, style.rng, 7, 0.34), lift=10)
    return scene


def blouse(family: Family, style: Style) -> Image.Image:
    """A fitted blouse (choli) with short sleeves, large in the picture."""
    scene = wall(style)
    sleeve = [(250, 300), (178, 350), (92, 560), (70, 690), (206, 740), (262, 600)]
    field = family.field(style, SIZE)
    arm = outline(sleeve, [(SIZE[0] - x, y) for x, y in sleeve])
    set_down(scene, style, field, arm, sheen(SIZE, style.rng, 2, 0.26))
    for way in (1, -1):
        x = 70 if way > 0 else SIZE[0] - 70
        cuff = [(x, 690), (x + 136 * way, 740), (x + 148 * way, 700), (x + 12 * way, 646)]
        scene.paste(style.border, (0, 0), outline(cuff))
        scene.paste(
            style.metal,
            (0, 0),
            outline([(x, 690), (x + 136 * way, 740), (x + 138 * way, 732), (x + 2 * way, 680)]),
        )
    cloth = field.copy()
    hem = band(family.border(style), SIZE[0])
    cloth.paste(hem, (0, 902 - hem.height), hem)
    body = both_sides(
        [(344, 262), (248, 300), (226, 420), (262, 560), (250, 700), (236, 880), (340, 900), (450, 904)]
    )
    neck = both_sides([(344, 250), (352, 380), (388, 470), (450, 500)])
    rim = both_sides([(326, 250), (334, 388), (374, 486), (450, 520)])
    torso = outline(body)
    back(scene, style, [(450, 400), (390, 372), (342, 258), (338, 500), (450, 540)])
    cloth.paste(style.border, (0, 0), outline(rim))
    set_down(scene, style, cloth, ImageChops.subtract(torso, outline(neck)), sheen(SIZE, style.rng, 2, 0.26))
    line = smooth(
        [(338, 262), (343, 384), (381, 478), (450, 510), (519, 478), (557, 384), (562, 262)], closed=False
    )
    draw = ImageDraw.Draw(scene)
    for px, py in line[::2]:
        draw.ellipse((px - 5, py - 5, px + 5, py + 5), fill=style.metal)
    seams(
        scene,
        [
            smooth([(300, 880), (316, 740), (330, 640)], closed=False),
            smooth([(600, 880), (584, 740), (570, 640)], closed=False),
            [(450, 520), (450, 900)],
        ],
    )
    buttons(scene, style, 450, [570, 640, 710, 780])
    return scene


def lehenga(family: Family, style: Style) -> Image.Image:
    """A flared skirt, its pattern fanning out from the waist, under a short choli."""
    scene = wall(style)
    top, bottom = 390, 1150
    cloth = family.field(style, (1200, 900))
    hem = band(family.pallu(style), 1200)
    cloth.paste(hem, (0, 900 - hem.height), hem)

    def fan(x: float, y: float) -> tuple[float, float]:
        share = (y - top) / (bottom - top)
        half = 96 + 330 * share**0.92
        across = max(-1.1, min(1.1, (x - 450) / half))
        return 600 + across * 590, 895 - (bottom - y) * 1.08 + 62 * across * across * share - 40

    skirt = warped(cloth, (20, top, 880, bottom + 20), fan, 28, 20)
    mask = outline(
        both_sides(
            [
                (356, top),
                (270, 560),
                (160, 830),
                (38, 1096),
                *smooth([(38, 1096), (180, 1136), (320, 1154), (450, 1158)], closed=False),
            ]
        )
    )
    set_down(scene, style, skirt, mask, _gathers(style, top, bottom))
    choli = family.field(style, SIZE) if style.rng.random() < 0.5 else Image.new("RGB", SIZE, style.border)
    sleeve = [(352, 86), (310, 104), (252, 210), (238, 262), (318, 282), (340, 220)]
    set_down(scene, style, choli, outline(sleeve, [(SIZE[0] - x, y) for x, y in sleeve]), lift=8)
    body = both_sides([(398, 74), (344, 88), (328, 170), (346, 250), (350, 340), (450, 348)])
    neck = both_sides([(398, 66), (404, 130), (450, 176)])
    back(scene, style, [(450, 112), (416, 102), (396, 72), (396, 180), (450, 200)])
    shape = ImageChops.subtract(outline(body), outline(neck))
    set_down(scene, style, choli, shape, sheen(SIZE, style.rng, 3, 0.2), lift=8)
    trim(scene, style, family, (330, 302, 570, 348), shape)
    for colour, y0, y1 in ((style.border, 384, 416), (style.metal, 386, 392), (style.metal, 408, 414)):
        scene.paste(
            colour,
            (0, 0),
            outline(
                both_sides(
                    [(356 - (y0 - 384) * 0.5, y0), (356 - (y1 - 384) * 0.5, y1), (450, y1 + 2), (450, y0 + 2)]
                )
            ),
        )
    return scene


def _gathers(style: Style, top: int, bottom: int) -> Image.Image:
    """Light on folds that spread from the waist."""
    flat = Image.new("L", (64, 1))
    phase = style.rng.uniform(0, math.tau)
    flat.putdata([round(126 + 44 * math.sin(i * 0.98 + phase) + 18 * math.sin(i * 2.1)) for i in range(64)])
    flat = flat.resize((1200, 8), Image.Resampling.BICUBIC)

    def fan(x: float, y: float) -> tuple[float, float]:
        half = 96 + 330 * ((y - top) / (bottom - top)) ** 0.92
        return 600 + max(-1.05, min(1.05, (x - 450) / half)) * 570, 4

    return warped(flat, (20, top, 880, bottom + 20), fan, 28, 12)


GARMENTS: dict[str, Callable[[Family, Style], Image.Image]] = {
    "Kurta": kurta,
    "Sherwani": sherwani,
    "Salwar suit": salwar_suit,
    "Blouse": blouse,
    "Lehenga": lehenga,
}
