"""Flowers, mangoes, trees: the plant motifs, each drawn about the origin within a radius of about 1."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from demo.drawing.pen import RGB, Pen, petal, smooth, spiral, wave


@dataclass(frozen=True)
class Inks:
    """The colours of one motif: its body, its second colour, its leaves, and its outline (or None)."""

    main: RGB
    second: RGB
    leaf: RGB
    line: RGB | None = None

    def swapped(self) -> Inks:
        return replace(self, main=self.second, second=self.main)


Motif = Callable[[Pen, Inks], None]

PAISLEY = smooth(
    [
        (-0.05, 0.98),
        (-0.52, 0.78),
        (-0.66, 0.34),
        (-0.44, -0.12),
        (-0.1, -0.46),
        (0.02, -0.8),
        (0.4, -0.98),
        (0.72, -0.74),
        (0.56, -0.62),
        (0.38, -0.68),
        (0.34, -0.44),
        (0.56, -0.02),
        (0.62, 0.46),
        (0.4, 0.84),
    ]
)


def filled(pen: Pen, points: list[tuple[float, float]], colour: RGB, line: RGB | None) -> None:
    pen.shape(points, colour)
    if line:
        pen.line([*points, points[0]], line, 0.045)


def flower(pen: Pen, inks: Inks, petals: int = 6, width: float = 0.62) -> None:
    """A round flower with a two-coloured heart."""
    for each in pen.around(petals):
        filled(each, petal(1, width * 6 / petals + 0.1, 0.68), inks.main, inks.line)
    for each in pen.around(petals):
        each.shape(petal(0.62, width * 2.6 / petals, 0.6), inks.second)
    pen.dot(0, 0, 0.24, inks.line or inks.main)
    pen.dot(0, 0, 0.16, inks.second)


def rosette(pen: Pen, inks: Inks) -> None:
    """A marigold: two whorls of petals about a dotted heart."""
    for each in pen.around(12):
        filled(each, petal(1, 0.42, 0.72), inks.main, inks.line)
    for each in pen.around(12, 15):
        filled(each, petal(0.66, 0.28, 0.7), inks.second, inks.line)
    pen.dot(0, 0, 0.27, inks.main)
    for each in pen.around(8):
        each.dot(0, -0.17, 0.05, inks.second)


def leaf(pen: Pen, inks: Inks) -> None:
    """One leaf with its vein, from the origin upwards."""
    filled(pen, petal(1, 0.5, 0.5), inks.leaf, inks.line)
    pen.line([(0, -0.1), (0, -0.8)], inks.line or inks.second, 0.035)


def sprig(pen: Pen, inks: Inks) -> None:
    """A buti: one flower on a curved stem between leaves."""
    stem = smooth([(0.1, 1), (-0.06, 0.6), (0.02, 0.2), (0, -0.3)], closed=False)
    pen.line(stem, inks.leaf, 0.07)
    for x, y, turn, size in (
        (0, 0.72, -58, 0.62),
        (-0.02, 0.62, 52, 0.58),
        (0, 0.3, -48, 0.48),
        (0, 0.2, 50, 0.46),
    ):
        leaf(pen.moved(x, y).turned(turn).scaled(size), inks)
    flower(pen.moved(0, -0.46).scaled(0.5), inks)
    for side in pen.mirrored():
        bud = side.moved(0.44, -0.02).turned(38)
        bud.line([(0, 0.3), (0, 0)], inks.leaf, 0.05)
        filled(bud, petal(0.34, 0.24), inks.second, inks.line)


def paisley(pen: Pen, inks: Inks) -> None:
    """The mango (kairi, buta): a filled drop within a drop, with a flower inside and a dotted rim."""
    filled(pen, PAISLEY, inks.main, inks.line)
    inner = pen.moved(-0.03, 0.2).scaled(0.66)
    inner.shape(PAISLEY, inks.second)
    inner.scaled(0.82).moved(0, 0.06).shape(PAISLEY, inks.main)
    flower(pen.moved(-0.02, 0.42).scaled(0.28), inks.swapped())
    for x, y, turn in ((-0.1, 0.06, -20), (0.2, 0.08, 22), (0.05, -0.02, 4)):
        pen.moved(x, y + 0.04).turned(turn).shape(petal(0.34, 0.15), inks.second)
    outline = PAISLEY[::3]
    for x, y in outline:
        pen.dot(x * 1.13, y * 1.09, 0.05, inks.main)


def lotus(pen: Pen, inks: Inks) -> None:
    """A lotus seen from the side, on its pad."""
    pen = pen.moved(0, 0.5)
    for turn, size in ((-84, 0.86), (84, 0.86), (-60, 1.05), (60, 1.05)):
        filled(pen.turned(turn), petal(size, 0.42), inks.second, inks.line)
    for turn, size in ((-34, 1.2), (34, 1.2), (0, 1.36)):
        filled(pen.turned(turn), petal(size, 0.5), inks.main, inks.line)
    for turn in (-17, 17):
        filled(pen.turned(turn), petal(0.86, 0.36), inks.second, inks.line)
    filled(pen, petal(0.6, 0.34), inks.main, inks.line)
    for side in pen.mirrored():
        filled(side.turned(104), petal(0.86, 0.3), inks.leaf, inks.line)
    filled(pen.turned(180), petal(0.42, 0.5, 0.4), inks.leaf, inks.line)


def poppy(pen: Pen, inks: Inks) -> None:
    """The Mughal flowering plant: one large bloom, two side blooms, arching leaves."""
    pen.line([(0, 1), (0, -0.3)], inks.leaf, 0.06)
    for side in pen.mirrored():
        branch = smooth([(0, 0.5), (0.3, 0.34), (0.46, 0), (0.48, -0.16)], closed=False)
        side.line(branch, inks.leaf, 0.05)
        bloom(side.moved(0.48, -0.12).turned(16).scaled(0.42), inks.swapped())
        for y, turn, size in ((0.96, 64, 0.66), (0.8, 34, 0.5), (0.34, 40, 0.3)):
            leaf(side.moved(0, y).turned(turn).scaled(size), inks)
    bloom(pen.moved(0, -0.28).scaled(0.62), inks)


def bloom(pen: Pen, inks: Inks) -> None:
    """A half-open flower from the origin upwards."""
    for turn in (-66, 66, -36, 36, 0):
        filled(pen.turned(turn), petal(1.08 - abs(turn) / 300, 0.52, 0.62), inks.main, inks.line)
    for turn in (-22, 22, 0):
        pen.turned(turn).shape(petal(0.62, 0.2, 0.6), inks.second)
    filled(pen.moved(0, 0.06), petal(0.34, 0.34, 0.4), inks.leaf, inks.line)


def tree(pen: Pen, inks: Inks) -> None:
    """A tree of life: curling boughs with leaves and flowers over a mound."""
    pen.shape(smooth([(-0.5, 1), (-0.2, 0.84), (0, 0.78), (0.2, 0.84), (0.5, 1)], closed=False), inks.leaf)
    trunk = smooth([(0.04, 0.86), (-0.08, 0.5), (0.06, 0.12), (-0.04, -0.3), (0, -0.62)], closed=False)
    pen.line(trunk, inks.line or inks.leaf, 0.1)
    for side in pen.mirrored():
        for y, reach, rise in ((0.42, 0.72, 0.2), (0.04, 0.62, 0.28), (-0.3, 0.42, 0.26)):
            bough = smooth(
                [(0, y), (reach * 0.5, y - rise * 0.2), (reach, y - rise), (reach * 0.8, y - rise * 1.9)],
                closed=False,
            )
            side.line(bough, inks.line or inks.leaf, 0.05)
            for i in (3, 6, 9, 12):
                x0, y0 = bough[i]
                leaf(side.moved(x0, y0).turned(-20 + i * 8).scaled(0.22), inks)
                leaf(side.moved(x0, y0).turned(130 - i * 4).scaled(0.2), inks)
            flower(side.moved(*bough[-1]).scaled(0.17), inks)
    flower(pen.moved(0, -0.74).scaled(0.24), inks)


def almond(pen: Pen, inks: Inks) -> None:
    """A small leaf-shaped buti with a vein, as woven in Chanderi and Banaras."""
    filled(pen.moved(0, 0.9), petal(1.8, 1, 0.45), inks.main, inks.line)
    pen.moved(0, 0.6).shape(petal(1.15, 0.5, 0.45), inks.second)
    pen.line([(0, 1), (0, 0.5)], inks.main, 0.1)


def coin(pen: Pen, inks: Inks) -> None:
    """The asharfi: a coin with a scalloped rim."""
    for each in pen.around(12):
        each.dot(0, -0.84, 0.17, inks.main)
    pen.dot(0, 0, 0.8, inks.main)
    pen.ring(0, 0, 0.6, inks.second, 0.09)
    for each in pen.around(6):
        each.shape(petal(0.44, 0.24, 0.6), inks.second)


def star(pen: Pen, inks: Inks) -> None:
    """An eight-pointed star with a flower in it, as on ajrakh blocks."""
    points = [
        (math.sin(math.pi * i / 8) * r, -math.cos(math.pi * i / 8) * r) for i, r in enumerate((1, 0.66) * 8)
    ]
    filled(pen, points, inks.main, inks.line)
    pen.scaled(0.72).shape(points, inks.second)
    for each in pen.around(8, 22.5):
        each.shape(petal(0.54, 0.24, 0.66), inks.main)
    pen.dot(0, 0, 0.17, inks.leaf)


def curl(pen: Pen, inks: Inks) -> None:
    """A tendril."""
    pen.line(spiral(1.3, 0.12, 0.8), inks.leaf, 0.08)


def vine(pen: Pen, inks: Inks, length: float, bloom_size: float = 0.5) -> None:
    """One period of a running creeper: x from 0 to `length`, y within −1 … 1. Repeats without a seam."""
    line = wave(length, 0.42, 1)
    pen.line(line, inks.leaf, 0.1)
    for at, side in ((0.25, -1), (0.75, 1)):
        head = pen.moved(length * at, side * 0.2)
        flower(head.scaled(bloom_size), inks if side < 0 else inks.swapped())
    for at in (0.02, 0.12, 0.4, 0.52, 0.62, 0.9):
        x, y = line[round(at * 48)]
        up = 1 if math.cos(math.tau * at) > 0 else -1
        leaf(pen.moved(x, y).turned(28 * up if up > 0 else 180 + 28).scaled(0.5), inks)
        leaf(pen.moved(x, y).turned(180 - 50 if up > 0 else -50).scaled(0.34), inks)


def bead(pen: Pen, inks: Inks) -> None:
    """The rudraksha: a five-lobed seed."""
    for each in pen.around(5):
        each.dot(0, -0.5, 0.42, inks.main)
    pen.dot(0, 0, 0.5, inks.main)
    for each in pen.around(5, 36):
        each.line([(0, -0.2), (0, -0.7)], inks.second, 0.08)
    pen.dot(0, 0, 0.18, inks.second)


def lozenge(pen: Pen, inks: Inks) -> None:
    """A diamond within a diamond, hooked at its corners."""
    for size, ink in ((1, inks.main), (0.72, inks.second), (0.46, inks.main), (0.18, inks.leaf)):
        pen.shape([(0, -size), (size, 0), (0, size), (-size, 0)], ink)
    for each in pen.around(4):
        each.line([(-0.3, -1), (0, -0.86), (0.3, -1)], inks.main, 0.1)
