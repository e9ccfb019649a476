"""Borders and pallus: bands built of strips, listed from the field outwards to the selvedge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image

from demo.drawing.cloth import stepped, tiled
from demo.drawing.motifs import Inks, Motif, vine
from demo.drawing.pen import RGB, Pen

Paint = Callable[[Pen, float, float], None]


@dataclass(frozen=True)
class Strip:
    """One strip of a band: `height` pixels, painted once per `period` pixels on its background (None: open)."""

    height: int
    background: RGB | None
    period: int = 8
    paint: Paint | None = None
    thread: int = 0

    def laid(self, length: int) -> Image.Image:
        """The strip along a band, RGBA, fitted so that its ends mirror each other."""
        pen = Pen.on_tile(self.period, self.height, self.background)
        if self.paint:
            self.paint(pen, self.period, self.height)
        tile = pen.tile()
        if self.thread:
            tile = stepped(tile, self.thread)
        return tiled(tile, (length, self.height))


def band(strips: Sequence[Strip], length: int, scale: float = 1) -> Image.Image:
    """The strips stacked, first one on top, RGBA; `scale` shrinks figures and height, not the length."""
    if scale != 1:
        full = band(strips, round(length / scale))
        return full.resize((length, round(full.height * scale)), Image.Resampling.BOX)
    result = Image.new("RGBA", (length, sum(strip.height for strip in strips)))
    top = 0
    for strip in strips:
        result.paste(strip.laid(length), (0, top))
        top += strip.height
    return result


def line(height: int, colour: RGB) -> Strip:
    return Strip(height, colour)


def gap(height: int) -> Strip:
    """The field shows through."""
    return Strip(height, None)


def row(
    height: int,
    period: int,
    background: RGB | None,
    motif: Motif,
    inks: Inks,
    fill: float = 0.42,
    thread: int = 0,
    turn: float = 0,
) -> Strip:
    """A motif repeated along the strip, its radius `fill` of the height."""

    def paint(pen: Pen, width: float, tall: float) -> None:
        motif(pen.moved(width / 2, tall / 2).turned(turn).scaled(tall * fill), inks)

    return Strip(height, background, period, paint, thread)


def pair(
    height: int,
    period: int,
    background: RGB | None,
    motif: Motif,
    inks: Inks,
    between: Motif | None = None,
    fill: float = 0.4,
    thread: int = 0,
) -> Strip:
    """A motif facing its mirror image, with another motif between."""

    def paint(pen: Pen, width: float, tall: float) -> None:
        for x, way in ((0.25, 1), (0.75, -1)):
            motif(pen.moved(width * x, tall / 2).scaled(tall * fill * way, tall * fill), inks)
        if between:
            for x in (0, 0.5, 1):
                between(pen.moved(width * x, tall / 2).scaled(tall * fill * 0.42), inks)

    return Strip(height, background, period, paint, thread)


def creeper(height: int, background: RGB | None, inks: Inks, thread: int = 0) -> Strip:
    """A running vine (bel)."""

    def paint(pen: Pen, width: float, tall: float) -> None:
        unit = tall * 0.46
        for shift in (-width, 0, width):
            vine(pen.moved(shift, tall / 2).scaled(unit), inks, width / unit)

    return Strip(height, background, round(height * 2.2), paint, thread)


def teeth(height: int, period: int, colour: RGB, background: RGB | None = None, steps: int = 0) -> Strip:
    """Temple spires pointing into the field, smooth or in woven steps."""

    def paint(pen: Pen, width: float, tall: float) -> None:
        if not steps:
            pen.shape([(0, tall), (width / 2, 0), (width, tall)], colour)
        for i in range(steps):
            half = width / 2 * (i + 1) / steps
            pen.box(width / 2 - half, tall * i / steps, width / 2 + half, tall, colour)

    return Strip(height, background, period, paint)


def beads(height: int, background: RGB | None, colour: RGB, heart: RGB | None = None) -> Strip:
    """A row of beads (rudraksha)."""

    def paint(pen: Pen, width: float, tall: float) -> None:
        pen.dot(width / 2, tall / 2, tall * 0.4, colour)
        if heart:
            pen.dot(width / 2, tall / 2, tall * 0.19, heart)

    return Strip(height, background, height, paint)


def diamonds(
    height: int, period: int, background: RGB | None, colour: RGB, heart: RGB | None = None, steps: int = 5
) -> Strip:
    """Stepped diamonds within diamonds."""

    def paint(pen: Pen, width: float, tall: float) -> None:
        for size, ink in ((1.0, colour), (0.62, heart or background or colour), (0.3, colour)):
            for i in range(steps):
                across = width / 2 * size * (i + 0.7) / steps
                up = tall / 2 * size * (steps - i - 0.2) / steps
                pen.box(width / 2 - across, tall / 2 - up, width / 2 + across, tall / 2 + up, ink)

    return Strip(height, background, period, paint)


def chevrons(height: int, period: int, background: RGB | None, colour: RGB, weight: float = 0.3) -> Strip:
    """A zigzag."""

    def paint(pen: Pen, width: float, tall: float) -> None:
        thick = tall * weight
        low, high = tall - thick / 2, thick / 2
        pen.line(
            [(-width / 2, high), (0, low), (width / 2, high), (width, low), (width * 1.5, high)],
            colour,
            thick,
        )

    return Strip(height, background, period, paint)


def bars(height: int, period: int, background: RGB | None, colour: RGB, share: float = 0.5) -> Strip:
    """Bars across the strip."""

    def paint(pen: Pen, width: float, tall: float) -> None:
        pen.box(0, 0, width * share, tall, colour)

    return Strip(height, background, period, paint)


def checks(height: int, cell: int, background: RGB, colour: RGB) -> Strip:
    """A chessboard of cells."""

    def paint(pen: Pen, width: float, tall: float) -> None:
        for j in range(int(tall / cell) + 1):
            x = cell * (j % 2)
            pen.box(x, j * cell, x + cell, (j + 1) * cell, colour)

    return Strip(height, background, 2 * cell, paint)


def scallops(height: int, period: int, colour: RGB, rim: RGB | None = None) -> Strip:
    """Round lobes pointing into the field."""

    def paint(pen: Pen, width: float, tall: float) -> None:
        lobe = pen.moved(width / 2, tall).scaled(width / 2, tall)
        lobe.shape(_half_disc(1), colour)
        if rim:
            lobe.line(_half_disc(0.84), rim, 0.08)

    return Strip(height, None, period, paint)


def _half_disc(radius: float) -> list[tuple[float, float]]:
    from math import cos, pi, sin

    return [(-radius * cos(pi * i / 20), -radius * sin(pi * i / 20)) for i in range(21)]
