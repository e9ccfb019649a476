"""A vector pen: shapes in any coordinate frame, drawn large and reduced so that every edge is smooth."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw

RGB = tuple[int, int, int]
Point = tuple[float, float]


@dataclass(frozen=True)
class Pen:
    """Draws on a transparent tile in a frame that can be moved, turned and scaled.

    A frame is the affine map (a, b, c, d, e, f): x' = ax + by + c, y' = dx + ey + f, in the pixels
    of the large tile. Pens made by `moved`, `turned` and `scaled` draw on the same tile.
    """

    canvas: Image.Image
    frame: tuple[float, float, float, float, float, float]
    oversample: int

    @classmethod
    def on_tile(cls, width: int, height: int, background: RGB | None = None, oversample: int = 3) -> Pen:
        """A pen on a fresh tile of width × height final pixels, transparent without a background colour."""
        colour = (*background, 255) if background else (0, 0, 0, 0)
        canvas = Image.new("RGBA", (width * oversample, height * oversample), colour)
        return cls(canvas, (oversample, 0, 0, 0, oversample, 0), oversample)

    def tile(self) -> Image.Image:
        """The finished tile, RGBA, at its final size."""
        return self.canvas.reduce(self.oversample) if self.oversample > 1 else self.canvas

    def moved(self, x: float, y: float) -> Pen:
        a, b, c, d, e, f = self.frame
        return Pen(self.canvas, (a, b, a * x + b * y + c, d, e, d * x + e * y + f), self.oversample)

    def scaled(self, x: float, y: float | None = None) -> Pen:
        a, b, c, d, e, f = self.frame
        y = x if y is None else y
        return Pen(self.canvas, (a * x, b * y, c, d * x, e * y, f), self.oversample)

    def turned(self, degrees: float) -> Pen:
        """Turned clockwise, as seen on the picture."""
        a, b, c, d, e, f = self.frame
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        return Pen(
            self.canvas,
            (a * cos + b * sin, b * cos - a * sin, c, d * cos + e * sin, e * cos - d * sin, f),
            self.oversample,
        )

    def around(self, count: int, start: float = 0) -> Iterator[Pen]:
        """Pens turned in equal steps round the full circle."""
        return (self.turned(start + 360 * i / count) for i in range(count))

    def mirrored(self) -> Iterator[Pen]:
        """This pen, and one that draws its mirror image in the vertical axis."""
        yield self
        yield self.scaled(-1, 1)

    def shape(self, points: Sequence[Point], colour: RGB) -> None:
        """A filled polygon."""
        self._ink().polygon(self._placed(points), fill=(*colour, 255))

    def cut(self, points: Sequence[Point]) -> None:
        """Take a polygon out of the tile again, down to transparency."""
        self._ink().polygon(self._placed(points), fill=(0, 0, 0, 0))

    def line(self, points: Sequence[Point], colour: RGB, width: float) -> None:
        """A line of the given width in this pen's frame, with round joints."""
        placed = self._placed(points)
        thick = max(1, round(width * self._size()))
        self._ink().line(placed, fill=(*colour, 255), width=thick, joint="curve" if thick > 3 else None)
        if thick > 3:
            for x, y in (placed[0], placed[-1]):
                r = thick / 2
                self._ink().ellipse((x - r, y - r, x + r, y + r), fill=(*colour, 255))

    def dot(self, x: float, y: float, radius: float, colour: RGB) -> None:
        """A disc (it stays round whatever the frame)."""
        ((px, py),) = self._placed([(x, y)])
        r = max(0.5, radius * self._size())
        self._ink().ellipse((px - r, py - r, px + r, py + r), fill=(*colour, 255))

    def ring(self, x: float, y: float, radius: float, colour: RGB, width: float) -> None:
        """A circle line."""
        ((px, py),) = self._placed([(x, y)])
        r, thick = radius * self._size(), max(1, round(width * self._size()))
        self._ink().ellipse((px - r, py - r, px + r, py + r), outline=(*colour, 255), width=thick)

    def box(self, left: float, top: float, right: float, bottom: float, colour: RGB) -> None:
        self.shape([(left, top), (right, top), (right, bottom), (left, bottom)], colour)

    def _ink(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self.canvas)

    def _size(self) -> float:
        a, b, _, d, e, _ = self.frame
        return math.sqrt(abs(a * e - b * d))

    def _placed(self, points: Sequence[Point]) -> list[Point]:
        a, b, c, d, e, f = self.frame
        return [(a * x + b * y + c, d * x + e * y + f) for x, y in points]


def smooth(points: Sequence[Point], closed: bool = True, steps: int = 6) -> list[Point]:
    """A Catmull-Rom curve through all points, `steps` segments between two of them."""
    return list(_smoothed(tuple(points), closed, steps))


@lru_cache(maxsize=4096)
def _smoothed(points: tuple[Point, ...], closed: bool, steps: int) -> tuple[Point, ...]:
    count = len(points)
    result: list[Point] = []
    for i in range(count if closed else count - 1):
        if closed:
            p0, p1, p2, p3 = (points[(i + k) % count] for k in (-1, 0, 1, 2))
        else:
            p0, p1, p2, p3 = (points[min(max(i + k, 0), count - 1)] for k in (-1, 0, 1, 2))
        for step in range(steps):
            t = step / steps
            w0 = t * (t * (2 - t) - 1)
            w1 = t * t * (3 * t - 5) + 2
            w2 = t * (t * (4 - 3 * t) + 1)
            w3 = t * t * (t - 1)
            result.append(
                (
                    (w0 * p0[0] + w1 * p1[0] + w2 * p2[0] + w3 * p3[0]) / 2,
                    (w0 * p0[1] + w1 * p1[1] + w2 * p2[1] + w3 * p3[1]) / 2,
                )
            )
    if not closed:
        result.append(points[-1])
    return tuple(result)


def petal(length: float, width: float, belly: float = 0.55) -> list[Point]:
    """A pointed petal from the origin upwards; `belly` says how far up it is widest."""
    half = width / 2
    return smooth(
        [
            (0, 0),
            (half * 0.72, -length * belly * 0.5),
            (half, -length * belly),
            (half * 0.55, -length * (belly + 1) / 2),
            (0, -length),
            (-half * 0.55, -length * (belly + 1) / 2),
            (-half, -length * belly),
            (-half * 0.72, -length * belly * 0.5),
        ],
        steps=4,
    )


def spiral(turns: float, start: float, end: float, steps: int = 28) -> list[Point]:
    """A spiral about the origin whose radius goes from `start` to `end`."""
    return [
        (
            (start + (end - start) * i / steps) * math.cos(math.tau * turns * i / steps),
            (start + (end - start) * i / steps) * math.sin(math.tau * turns * i / steps),
        )
        for i in range(steps + 1)
    ]


def wave(length: float, height: float, periods: float, steps: int = 48, phase: float = 0) -> list[Point]:
    """A sine line along x, from 0 to `length`, about y = 0."""
    return [
        (length * i / steps, height * math.sin(math.tau * (periods * i / steps + phase)))
        for i in range(steps + 1)
    ]
