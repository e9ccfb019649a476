"""Weaves, folds and sheen, which make flat colour resemble cloth, and motifs spread over a background."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from functools import lru_cache

from PIL import Image, ImageChops

from demo.drawing.pen import RGB

Size = tuple[int, int]
CROSS = 256  # the weaves are made once at this size and laid side by side


def mix(a: RGB, b: RGB, share: float) -> RGB:
    """`share` of b in a."""
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


def lightness(colour: RGB) -> float:
    """Perceived lightness, 0 … 1."""
    return (0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]) / 255


def tiled(tile: Image.Image, size: Size, top: int = 0) -> Image.Image:
    """The tile laid side by side over the size, one tile in the middle, cut to begin `top` pixels down."""
    width, height = size
    result = Image.new(tile.mode, (width + tile.width, height + tile.height))
    result.paste(tile, (0, 0))
    done = tile.width
    while done < result.width:
        result.paste(result.crop((0, 0, min(done, result.width - done), tile.height)), (done, 0))
        done *= 2
    done = tile.height
    while done < result.height:
        result.paste(result.crop((0, 0, result.width, min(done, result.height - done))), (0, done))
        done *= 2
    left, top = (tile.width - width) // 2 % tile.width, top % tile.height
    return result.crop((left, top, left + width, top + height))


def noise(size: Size, seed: int) -> Image.Image:
    """White noise, mode L, the same on every machine."""
    return Image.frombytes("L", size, random.Random(seed).randbytes(size[0] * size[1]))  # noqa: S311


def _streaks(size: int, length: int, seed: int, along: str) -> Image.Image:
    """Threads of uneven thickness: noise drawn out along one axis; repeats without a seam."""
    grid = (size // length, size) if along == "x" else (size, size // length)
    small = noise(grid, seed)
    wide = tiled(small, (grid[0] * 3, grid[1] * 3)).resize((size * 3, size * 3), Image.Resampling.BICUBIC)
    return wide.crop((size, size, size * 2, size * 2))


@lru_cache(maxsize=16)
def weave(kind: str, size: Size) -> Image.Image:
    """The surface of a fabric as grey about 128 (mode L): silk, cotton, slub, wool, twill or sheer."""
    depth, length = {
        "silk": (0.1, 64),
        "cotton": (0.16, 16),
        "slub": (0.27, 32),
        "wool": (0.22, 4),
        "twill": (0.14, 16),
        "sheer": (0.18, 64),
    }[kind]
    weft = _streaks(CROSS, length, 11, "x")
    warp = _streaks(CROSS, length, 12, "y")
    grain = Image.blend(weft, warp, 0.5)
    threads = Image.new("L", (4, 4))
    rows = {"twill": ("9.5.", ".9.5", "5.9.", ".5.9"), "wool": ("93..", ".93.", "..93", "3..9")}.get(
        kind, ("8484", "4.4.", "8484", "4.4.")
    )
    threads.putdata([16 * (0 if c == "." else int(c)) + 56 for row in rows for c in row])
    surface = Image.blend(grain, tiled(threads, grain.size), 0.5)
    flat = Image.new("L", surface.size, 126)
    return tiled(Image.blend(flat, surface, depth), size)


def stepped(tile: Image.Image, thread: int) -> Image.Image:
    """The tile as a loom would make it: in steps of `thread` pixels."""
    small = tile.resize((max(1, tile.width // thread), max(1, tile.height // thread)), Image.Resampling.BOX)
    if small.mode == "RGBA":
        small.putalpha(small.getchannel("A").point(lambda a: 255 if a > 110 else 0))
    return small.resize(tile.size, Image.Resampling.NEAREST)


def spread(
    cloth: Image.Image,
    tiles: Sequence[Image.Image],
    step: tuple[float, float],
    *,
    drop: bool = True,
    start: tuple[float, float] = (0.5, 0.5),
) -> Image.Image:
    """Lay motif tiles over the cloth in rows, every second row moved by half a step when `drop`.

    Tiles take turns, one row each. `start` is the place of a tile in its mesh, 0.5 being the middle; the
    middle mesh lies in the middle of the cloth.
    """
    for row in range(-1, int(cloth.height / step[1]) + 2):
        tile = tiles[row % len(tiles)]
        shift = 0.5 if drop and row % 2 else 0.0
        y = round((row + start[1]) * step[1] - tile.height / 2)
        reach = int(cloth.width / step[0] / 2) + 2
        for column in range(-reach, reach + 1):
            x = round(cloth.width / 2 + (column + shift + start[0] - 0.5) * step[0] - tile.width / 2)
            cloth.paste(tile, (x, y), tile)
    return cloth


def sheen(size: Size, rng: random.Random, folds: float, depth: float) -> Image.Image:
    """Light and shadow of soft hanging folds, grey about 128 (mode L)."""
    columns, rows = 36, 24
    phases = [rng.uniform(0, math.tau) for _ in range(5)]
    lean = rng.uniform(-0.5, 0.5)
    values = []
    for j in range(rows):
        v = j / (rows - 1)
        for i in range(columns):
            u = i / (columns - 1)
            x = u + lean * 0.3 * v + 0.035 * math.sin(math.tau * v * 0.8 + phases[0])
            light = (
                0.55 * math.sin(math.tau * folds * x + phases[1])
                + 0.3 * math.sin(math.tau * folds * 1.73 * x + phases[2] + v)
                + 0.15 * math.sin(math.tau * (folds * 2.9 * x + 0.4 * v) + phases[3])
            )
            fall = 0.16 * math.sin(math.tau * (0.5 * v + 0.3 * u) + phases[4])
            values.append(max(0, min(255, round(126 + 127 * depth * (light + fall)))))
    small = Image.new("L", (columns, rows))
    small.putdata(values)
    return small.resize(size, Image.Resampling.BICUBIC)


def lit(cloth: Image.Image, *lights: Image.Image) -> Image.Image:
    """The cloth under light maps of mode L, whose grey of 128 changes nothing."""
    relief = lights[0]
    for light in lights[1:]:
        relief = ImageChops.add(relief, light, 1, -128)
    return ImageChops.hard_light(cloth, Image.merge("RGB", (relief, relief, relief)))


def rippled(cloth: Image.Image, rng: random.Random, folds: float, depth: float) -> Image.Image:
    """The cloth's pattern bent by soft folds: columns pushed together and apart, `depth` in pixels."""
    width, height = cloth.size
    columns, rows = 24, 8
    phases = [rng.uniform(0, math.tau) for _ in range(4)]

    def source(i: int, j: int) -> tuple[float, float]:
        u, v = i / columns, j / rows
        dx = math.sin(math.tau * (folds * u + 0.12 * math.sin(3 * v)) + phases[0]) * depth
        dx += math.sin(math.tau * folds * 1.7 * u + phases[1] + v) * depth * 0.5
        dy = math.sin(math.tau * (folds * u + 0.2 * v) + phases[2]) * depth * 0.8
        inset = 1.8 * depth
        return (
            inset + u * (width - 2 * inset) + dx,
            inset + v * (height - 2 * inset) + dy,
        )

    xs = [round(width * i / columns) for i in range(columns + 1)]
    ys = [round(height * j / rows) for j in range(rows + 1)]
    mesh = [
        (
            (xs[i], ys[j], xs[i + 1], ys[j + 1]),
            (*source(i, j), *source(i, j + 1), *source(i + 1, j + 1), *source(i + 1, j)),
        )
        for j in range(rows)
        for i in range(columns)
    ]
    return cloth.transform(cloth.size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)
