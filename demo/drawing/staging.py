"""Ways to show an unsewn cloth: close and softly folded, hung on a rod, or laid folded."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from PIL import Image, ImageDraw

from demo.drawing.bands import band
from demo.drawing.cloth import Size, lit, mix, rippled, sheen, weave
from demo.drawing.garments import GARMENTS, seams, warped
from demo.drawing.pen import Point
from demo.drawing.stage import SIZE, outline, rod, set_down, wall
from demo.drawing.style import Family, Style


def length_of_cloth(family: Family, style: Style, size: Size, *, both: bool, scale: float = 1) -> Image.Image:
    """The flat cloth: field, side borders, and the pallu across its lower end.

    `scale` is the size of border and pallu figures beside those of the field.
    """
    width, height = size
    cloth = family.field(style, size)
    end = band(family.pallu(style), width, scale)
    cloth.paste(end, (0, height - end.height), end)
    right = band(family.border(style), height, scale).transpose(Image.Transpose.ROTATE_90)
    cloth.paste(right, (width - right.width, 0), right)
    if both:
        left = right.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        cloth.paste(left, (0, 0), left)
    return cloth


def close(family: Family, style: Style) -> Image.Image:
    """The cloth fills the picture, in soft folds."""
    rng = style.rng
    cloth = length_of_cloth(family, style, SIZE, both=rng.random() < 0.5)
    folds = rng.uniform(1.2, 2.6)
    cloth = rippled(cloth, rng, folds, 9)
    return lit(cloth, weave(style.weave, SIZE), sheen(SIZE, rng, folds, 0.3))


def hung(family: Family, style: Style) -> Image.Image:
    """The cloth hangs from a rod before a wall, fringed at its end."""
    rng = style.rng
    scene = wall(style)
    rod(scene, 92, 70, 830, rng)
    left, right, bottom = 142, 758, 1080
    cloth = Image.new("RGB", SIZE, style.border)
    cloth.paste(
        length_of_cloth(family, style, (right - left + 40, bottom - 78), both=True, scale=0.72),
        (left - 20, 84),
    )
    folds = rng.uniform(2.2, 4)
    phase = rng.uniform(0, math.tau)
    light = sheen(SIZE, rng, folds, 0.36)
    cloth = rippled(cloth, rng, folds, 6)

    def hem(x: float) -> float:
        return bottom + 9 * math.sin(math.tau * folds * x / SIZE[0] + phase)

    edge = [(x, hem(x)) for x in range(left, right + 1, 22)]
    shape: list[Point] = [
        (left + 4, 80),
        (right - 4, 80),
        *reversed([(left, bottom - 8), *edge, (right, hem(right))]),
    ]
    _fringe(scene, style, edge)
    set_down(scene, style, cloth, outline(shape), light)
    return scene


def _fringe(scene: Image.Image, style: Style, edge: Sequence[Point]) -> None:
    """Knotted tassels along a hem."""
    draw = ImageDraw.Draw(scene)
    rng = style.rng
    tone = (
        style.visible_on(style.border, style.background, style.metal)
        if style.border == style.metal
        else style.border
    )
    for (x0, y0), (x1, y1) in pairwise(edge):
        x, y = (x0 + x1) / 2, (y0 + y1) / 2 - 6
        for k in range(-5, 6):
            end = (x + k * 1.7 + rng.uniform(-2, 2), y + 56 + rng.uniform(-4, 6))
            draw.line(
                (x + k * 0.5, y + 14, *end), fill=mix(tone, (20, 12, 10), rng.uniform(0.05, 0.45)), width=2
            )
        draw.ellipse((x - 5, y + 4, x + 5, y + 16), fill=mix(tone, style.metal, 0.4))


def folded(family: Family, style: Style) -> Image.Image:
    """The cloth folded flat, and its pallu end laid across at a slant."""
    rng = style.rng
    scene = wall(style)
    under = family.field(style, SIZE)
    edge = band(family.border(style), SIZE[1], 0.72).transpose(Image.Transpose.ROTATE_90)
    under.paste(edge, (800 - edge.width, 0), edge)
    for left, top, right, bottom in ((92, 86, 800, 1112), (106, 76, 792, 1098), (98, 92, 804, 1086)):
        fold = [(left, top), (right, top + 6), (right - 4, bottom), (left + 5, bottom + 5)]
        set_down(scene, style, under, outline(fold), sheen(SIZE, rng, 1.1, 0.14), lift=6)
    seams(scene, [[(104, 560), (802, 566)]], 46)
    size = (560, 900)
    flap = length_of_cloth(family, style, size, both=True, scale=0.62)
    slant = math.radians(rng.choice((-1, 1)) * rng.uniform(7, 13))
    cos, sin = math.cos(slant), math.sin(slant)
    middle = (450 + 60 * sin, 700)

    def lie(x: float, y: float) -> tuple[float, float]:
        dx, dy = x - middle[0], y - middle[1]
        return size[0] / 2 + dx * cos - dy * sin, size[1] / 2 + dx * sin + dy * cos

    corners = [(-278, -440), (278, -440), (278, 396), (-278, 396)]
    shape = [(middle[0] + x * cos + y * sin, middle[1] - x * sin + y * cos) for x, y in corners]
    laid = warped(flap, (0, 0, *SIZE), lie, 2, 2)
    _fringe(scene, style, [_between(shape[3], shape[2], k / 24) for k in range(25)])
    set_down(scene, style, laid, outline(shape), sheen(SIZE, rng, 1.5, 0.2), lift=18)
    return scene


def _between(a: Point, b: Point, share: float) -> Point:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share


def pleated(family: Family, style: Style) -> Image.Image:
    """The pallu gathered into pleats and opened like a fan."""
    rng = style.rng
    scene = wall(style)
    count = rng.choice((7, 9, 11))
    top, bottom = 96, 1096
    cloth = length_of_cloth(family, style, (1100, 1080), both=True)

    def fan(x: float, y: float) -> tuple[float, float, float]:
        share = (y - top) / (bottom - top)
        across = (x - 450) / (150 + 246 * share)
        slip = abs((across + 1) / 2 * count % 1 - 0.5) * 2
        return across, share, slip

    def source(x: float, y: float) -> tuple[float, float]:
        across, share, slip = fan(x, y)
        return 550 + max(-1.04, min(1.04, across)) * 520, 30 + share * 1030 - slip * 30 * share

    def light_at(x: float, y: float) -> tuple[float, float]:
        return (max(-1.04, min(1.04, fan(x, y)[0])) + 1.1) * 500, 4

    ramp = Image.new("L", (1100, 8), 128)
    draw = ImageDraw.Draw(ramp)
    for x in range(1100):
        place = (x / 500 - 0.1) / 2 * count % 1
        draw.line((x, 0, x, 8), fill=round(92 + 76 * place if place < 0.92 else 72))
    box = (40, top, 860, 1140)
    light = warped(ramp, box, light_at, 64, 4)
    low = [
        (450 + across * 396, bottom + 26 * abs(across / 2 * count % 1 - 0.5) * 2) for across in _zigzag(count)
    ]
    shape = [(302, top), (598, top), *reversed(low)]
    set_down(scene, style, warped(cloth, box, source, 64, 16), outline(shape), light)
    pin = outline([(292, 128), (608, 128), (612, 158), (288, 158)])
    set_down(scene, style, Image.new("RGB", SIZE, mix(style.metal, (255, 246, 226), 0.3)), pin, lift=6)
    return scene


def _zigzag(count: int) -> list[float]:
    """Places across a fan of pleats, −1 … 1, at every edge and every middle."""
    return [k / count - 1 for k in range(2 * count + 1)]


Show = Callable[[Family, Style], Image.Image]
SHOWS: dict[str, tuple[Show, ...]] = {
    "Saree": (close, close, close, hung, folded, pleated),
    "Dupatta": (hung, close, folded, pleated),
    "Stole": (hung, folded, close),
    "Shawl": (hung, folded, close),
    "Mekhela chador": (close, hung, folded),
    "Phanek": (close, hung),
    "Puan": (hung, close),
    "Mundu": (folded, hung, close),
}


def shown(garment: str, family: Family, style: Style) -> Image.Image:
    """The finished picture of a garment, RGB, 900 × 1200."""
    if garment in GARMENTS:
        return GARMENTS[garment](family, style)
    return style.rng.choice(SHOWS[garment])(family, style)
