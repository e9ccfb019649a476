"""The room around a garment: a plastered wall, its light, and the shadow of what hangs before it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFilter

from demo.drawing.cloth import Size, lightness, lit, mix, noise, weave
from demo.drawing.pen import RGB, Point
from demo.drawing.style import Style

SIZE: Size = (900, 1200)
WALLS: tuple[RGB, ...] = (
    (232, 221, 203),
    (222, 208, 194),
    (214, 217, 208),
    (226, 212, 210),
    (206, 196, 184),
    (220, 222, 224),
)


@lru_cache(maxsize=1)
def plaster() -> Image.Image:
    """The wall's surface and light, grey about 128: soft blotches, fine grain, darker corners."""
    blotches = noise((18, 24), 5).resize(SIZE, Image.Resampling.BICUBIC)
    grain = noise((450, 600), 6).resize(SIZE, Image.Resampling.BILINEAR)
    surface = Image.blend(Image.blend(blotches, grain, 0.4), Image.new("L", SIZE, 128), 0.9)
    glow = (
        Image.radial_gradient("L").resize(SIZE, Image.Resampling.BICUBIC).point(lambda v: 150 - v * 60 // 255)
    )
    return Image.blend(surface, glow, 0.55)


def wall(style: Style) -> Image.Image:
    """A wall whose colour lets the cloth stand out."""
    choices = sorted(WALLS, key=lambda tone: abs(lightness(tone) - lightness(style.background)), reverse=True)
    tone = mix(style.rng.choice(choices[:4]), style.background, 0.05)
    if lightness(style.background) > 0.72:
        tone = mix(tone, (92, 74, 62), 0.42)
    return lit(Image.new("RGB", SIZE, tone), plaster())


def outline(*shapes: Sequence[Point]) -> Image.Image:
    """A smooth-edged mask (mode L) of polygons in picture pixels."""
    big = Image.new("L", (SIZE[0] * 2, SIZE[1] * 2), 0)
    draw = ImageDraw.Draw(big)
    for shape in shapes:
        draw.polygon([(x * 2, y * 2) for x, y in shape], fill=255)
    return big.reduce(2)


def soft(mask: Image.Image, radius: float) -> Image.Image:
    """The mask blurred by `radius` pixels, worked out at a quarter of the size."""
    small = mask.reduce(4).filter(ImageFilter.GaussianBlur(radius / 4))
    return small.resize(mask.size, Image.Resampling.BILINEAR)


def set_down(
    scene: Image.Image,
    style: Style,
    cloth: Image.Image,
    mask: Image.Image,
    light: Image.Image | None = None,
    lift: int = 14,
) -> None:
    """Lay the cloth on the scene within the mask: its weave, the given light, its shadow on the wall.

    The edges turn away from the light. `lift` is how far the cloth stands off the wall, in pixels.
    """
    shadow = soft(mask, lift * 1.6).point(lambda v: v * 52 // 100)
    scene.paste((44, 30, 26), (lift // 2, lift, SIZE[0] + lift // 2, SIZE[1] + lift), shadow)
    box = mask.getbbox()
    if box is None:
        raise ValueError("the mask is empty: nothing of the cloth would be seen")
    edge = soft(mask, 26).point(lambda v: 128 - max(0, 238 - v) * 40 // 110)
    lights = [each.crop(box) for each in (edge, weave(style.weave, SIZE), light) if each]
    scene.paste(lit(cloth.crop(box), *lights), box[:2], mask.crop(box))


def rod(scene: Image.Image, y: int, left: int, right: int, rng: random.Random) -> None:
    """A turned wooden or brass rod with round ends."""
    tone = rng.choice(((126, 84, 50), (84, 56, 38), (186, 146, 72)))
    dark, light = mix(tone, (20, 10, 6), 0.5), mix(tone, (255, 244, 220), 0.45)
    shadow = Image.new("L", SIZE, 0)
    ImageDraw.Draw(shadow).rectangle((left, y + 8, right, y + 26), fill=120)
    scene.paste((40, 28, 22), (6, 6, SIZE[0] + 6, SIZE[1] + 6), soft(shadow, 10))
    draw = ImageDraw.Draw(scene)
    for k in range(18):
        share = abs(k - 6) / 12
        draw.line((left, y - 9 + k, right, y - 9 + k), fill=mix(light, dark, min(1.0, share)))
    for x in (left, right):
        draw.ellipse((x - 17, y - 17, x + 17, y + 17), fill=dark)
        draw.ellipse((x - 15, y - 16, x + 13, y + 12), fill=tone)
        draw.ellipse((x - 9, y - 11, x, y - 3), fill=light)
