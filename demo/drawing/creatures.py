"""Birds, beasts and people: the figured motifs, each drawn about the origin within a radius of about 1."""

from __future__ import annotations

import math

from demo.drawing.motifs import Inks, filled
from demo.drawing.pen import Pen, petal, smooth, spiral


def peacock(pen: Pen, inks: Inks) -> None:
    """A standing peacock looking back, its train falling behind it."""
    for i, turn in enumerate((-150, -138, -126, -114, -102)):
        feather = pen.moved(-0.12, 0.02).turned(turn)
        vane, eye = (inks.second, inks.main) if i % 2 else (inks.main, inks.second)
        reach = 1.14 - 0.05 * abs(i - 2)
        filled(feather, petal(reach, 0.3, 0.74), vane, inks.line)
        feather.dot(0, 0.3 - reach, 0.085, eye)
        feather.dot(0, 0.3 - reach, 0.04, inks.leaf)
    body = smooth(
        [
            (-0.34, 0.2),
            (-0.1, -0.06),
            (0.14, -0.2),
            (0.2, -0.5),
            (0.3, -0.76),
            (0.48, -0.8),
            (0.54, -0.66),
            (0.42, -0.5),
            (0.5, -0.2),
            (0.54, 0.12),
            (0.36, 0.42),
            (0.04, 0.48),
            (-0.24, 0.4),
        ]
    )
    filled(pen, body, inks.main, inks.line)
    pen.shape([(0.52, -0.76), (0.72, -0.62), (0.51, -0.63)], inks.leaf)
    pen.dot(0.42, -0.7, 0.035, inks.second)
    for turn in (-22, 0, 22):
        crest = pen.moved(0.38, -0.8).turned(turn)
        crest.line([(0, 0), (0, -0.17)], inks.main, 0.03)
        crest.dot(0, -0.2, 0.045, inks.second)
    filled(pen.moved(0.3, 0.2).turned(-112), petal(0.62, 0.36, 0.4), inks.leaf, inks.line)
    pen.moved(0.24, 0.19).turned(-112).shape(petal(0.4, 0.18, 0.4), inks.second)
    for x in (0.1, 0.28):
        pen.line([(x, 0.42), (x + 0.04, 0.86), (x + 0.18, 0.88)], inks.line or inks.main, 0.045)


def parrot(pen: Pen, inks: Inks) -> None:
    """A perched parrot."""
    filled(pen.moved(-0.1, 0.2).turned(-152), petal(0.95, 0.3, 0.5), inks.second, inks.line)
    body = smooth(
        [
            (-0.3, 0.42),
            (-0.34, 0.02),
            (-0.14, -0.36),
            (0.02, -0.72),
            (0.3, -0.84),
            (0.52, -0.64),
            (0.46, -0.42),
            (0.46, -0.02),
            (0.3, 0.36),
            (0, 0.54),
        ]
    )
    filled(pen, body, inks.main, inks.line)
    pen.shape(smooth([(0.48, -0.68), (0.72, -0.6), (0.66, -0.4), (0.56, -0.5), (0.47, -0.5)]), inks.second)
    pen.dot(0.32, -0.66, 0.055, inks.second)
    pen.line([(0.08, -0.5), (0.24, -0.42), (0.42, -0.42)], inks.second, 0.06)
    filled(pen.moved(0.12, -0.24).turned(-166), petal(0.78, 0.38, 0.4), inks.leaf, inks.line)
    pen.line([(0.1, 0.5), (0.12, 0.72)], inks.second, 0.06)
    pen.line([(-0.5, 0.78), (0.7, 0.7)], inks.leaf, 0.06)


def swan(pen: Pen, inks: Inks) -> None:
    """The hamsa, a sacred goose with a curling tail."""
    body = smooth(
        [
            (-0.78, -0.1),
            (-0.5, 0.04),
            (-0.1, -0.04),
            (0.24, -0.02),
            (0.42, -0.24),
            (0.36, -0.52),
            (0.44, -0.78),
            (0.68, -0.8),
            (0.76, -0.64),
            (0.6, -0.54),
            (0.68, -0.22),
            (0.66, 0.16),
            (0.36, 0.5),
            (-0.16, 0.54),
            (-0.56, 0.34),
        ]
    )
    filled(pen, body, inks.main, inks.line)
    for turn in (-74, -50, -26):
        filled(pen.moved(-0.48, 0.12).turned(turn), petal(0.66, 0.26), inks.second, inks.line)
    filled(pen.moved(0.34, 0.2).turned(-82), petal(0.74, 0.4, 0.4), inks.second, inks.line)
    pen.moved(0.26, 0.2).turned(-82).shape(petal(0.48, 0.2, 0.4), inks.leaf)
    pen.shape([(0.73, -0.76), (0.96, -0.66), (0.73, -0.62)], inks.leaf)
    pen.dot(0.62, -0.7, 0.04, inks.second)
    for x in (0.04, 0.24):
        pen.line([(x, 0.5), (x, 0.8), (x + 0.16, 0.84)], inks.leaf, 0.05)


def elephant(pen: Pen, inks: Inks) -> None:
    """A caparisoned elephant, trunk raised."""
    body = smooth(
        [
            (-0.82, 0.1),
            (-0.74, -0.32),
            (-0.3, -0.46),
            (0.14, -0.42),
            (0.34, -0.62),
            (0.58, -0.58),
            (0.7, -0.32),
            (0.82, -0.06),
            (0.94, -0.22),
            (0.92, -0.44),
            (1, -0.44),
            (1.04, -0.14),
            (0.88, 0.14),
            (0.7, 0.1),
            (0.56, 0.06),
            (0.52, 0.36),
            (0.52, 0.84),
            (0.28, 0.86),
            (0.24, 0.44),
            (-0.28, 0.44),
            (-0.34, 0.84),
            (-0.62, 0.84),
            (-0.64, 0.46),
        ],
        steps=4,
    )
    filled(pen, body, inks.main, inks.line)
    cloth = [(-0.52, -0.42), (0.08, -0.44), (0.12, 0.16), (-0.56, 0.16)]
    filled(pen, cloth, inks.second, inks.line)
    for x in (-0.44, -0.22, 0):
        pen.dot(x, -0.12, 0.08, inks.leaf)
        pen.shape([(x - 0.1, 0.16), (x + 0.1, 0.16), (x, 0.3)], inks.leaf)
    filled(pen.moved(0.34, -0.42).turned(186), petal(0.52, 0.36, 0.5), inks.second, inks.line)
    pen.dot(0.6, -0.38, 0.045, inks.second)
    pen.line(smooth([(0.68, 0.02), (0.84, 0.2), (1, 0.16)], closed=False), inks.leaf, 0.06)
    pen.line(smooth([(-0.8, -0.16), (-0.92, 0.1), (-0.88, 0.4)], closed=False), inks.main, 0.05)


def horse(pen: Pen, inks: Inks) -> None:
    """A prancing horse with a saddle cloth."""
    body = smooth(
        [
            (-0.66, -0.14),
            (-0.2, -0.2),
            (0.2, -0.24),
            (0.4, -0.7),
            (0.56, -0.92),
            (0.66, -0.74),
            (0.94, -0.5),
            (0.86, -0.38),
            (0.62, -0.46),
            (0.56, -0.04),
            (0.5, 0.22),
            (0.74, 0.34),
            (0.62, 0.68),
            (0.52, 0.64),
            (0.56, 0.42),
            (0.3, 0.3),
            (0.28, 0.88),
            (0.14, 0.88),
            (0.1, 0.3),
            (-0.3, 0.28),
            (-0.4, 0.54),
            (-0.32, 0.88),
            (-0.46, 0.88),
            (-0.58, 0.5),
            (-0.7, 0.2),
        ],
        steps=4,
    )
    filled(pen, body, inks.main, inks.line)
    for i in range(5):
        filled(
            pen.moved(0.38 - i * 0.06, -0.66 + i * 0.1).turned(-64), petal(0.3, 0.13), inks.second, inks.line
        )
    filled(pen, [(-0.26, -0.22), (0.14, -0.24), (0.16, 0.14), (-0.28, 0.14)], inks.second, inks.line)
    pen.dot(-0.06, -0.04, 0.09, inks.leaf)
    pen.line(smooth([(-0.68, -0.1), (-0.92, 0.06), (-0.9, 0.44)], closed=False), inks.second, 0.11)
    pen.dot(0.66, -0.62, 0.04, inks.second)


def fish(pen: Pen, inks: Inks) -> None:
    """A fish with scales, swimming to the right."""
    body = smooth(
        [(0.9, 0), (0.6, -0.36), (0.1, -0.46), (-0.4, -0.2), (-0.6, 0), (-0.4, 0.2), (0.1, 0.46), (0.6, 0.36)]
    )
    for side in (1, -1):
        tail = smooth([(-0.5, 0), (-0.8, -0.34 * side), (-1, -0.5 * side), (-0.86, -0.1 * side)])
        filled(pen, tail, inks.second, inks.line)
        filled(
            pen.moved(0.2, -0.36 * side).turned(-60 if side > 0 else -120),
            petal(0.5, 0.24),
            inks.second,
            inks.line,
        )
    filled(pen, body, inks.main, inks.line)
    for x in (-0.3, -0.08, 0.14):
        height = 0.24 if x < -0.2 else 0.34
        pen.line(smooth([(x, -height), (x + 0.14, 0), (x, height)], closed=False), inks.second, 0.06)
    pen.line(smooth([(0.44, -0.38), (0.34, 0), (0.44, 0.38)], closed=False), inks.leaf, 0.07)
    pen.dot(0.64, -0.08, 0.1, inks.second)
    pen.dot(0.64, -0.08, 0.045, inks.line or inks.main)


def deer(pen: Pen, inks: Inks) -> None:
    """A deer looking back, spotted."""
    body = smooth(
        [
            (-0.64, -0.06),
            (-0.2, -0.12),
            (0.22, -0.16),
            (0.36, -0.5),
            (0.5, -0.7),
            (0.72, -0.62),
            (0.76, -0.52),
            (0.56, -0.44),
            (0.54, 0.06),
            (0.44, 0.24),
            (0.46, 0.88),
            (0.34, 0.88),
            (0.26, 0.3),
            (-0.32, 0.28),
            (-0.44, 0.88),
            (-0.56, 0.88),
            (-0.54, 0.36),
            (-0.7, 0.12),
        ],
        steps=4,
    )
    filled(pen, body, inks.main, inks.line)
    for lean in (-0.24, 0.06):
        pen.line(
            smooth([(0.46, -0.66), (0.44 + lean * 0.4, -0.86), (0.46 + lean, -1)], closed=False),
            inks.second,
            0.05,
        )
        pen.line([(0.44 + lean * 0.5, -0.86), (0.56 + lean * 0.6, -0.96)], inks.second, 0.04)
    for x, y in ((-0.46, 0.04), (-0.2, 0), (0.06, 0), (-0.34, 0.18), (-0.06, 0.16), (0.22, 0.1)):
        pen.dot(x, y, 0.05, inks.second)
    pen.dot(0.58, -0.58, 0.035, inks.second)


def dancer(pen: Pen, inks: Inks) -> None:
    """A Warli figure: two triangles meeting at the waist, thin limbs, a round head."""
    pen.shape([(-0.3, -0.36), (0.3, -0.36), (0, 0.08)], inks.main)
    pen.shape([(-0.24, 0.4), (0.24, 0.4), (0, 0.04)], inks.main)
    pen.dot(0, -0.62, 0.15, inks.main)
    pen.dot(0.14, -0.7, 0.07, inks.main)
    for side in pen.mirrored():
        side.line([(0.28, -0.34), (0.56, -0.1), (0.74, -0.42)], inks.main, 0.06)
        side.line([(0.12, 0.38), (0.26, 0.66), (0.14, 0.94), (0.3, 0.96)], inks.main, 0.06)


def eye_fish(pen: Pen, inks: Inks) -> None:
    """A Mithila fish: double outline, hatched body."""
    fish(pen, inks)
    line = inks.line or inks.leaf
    for i in range(7):
        x = -0.46 + i * 0.12
        pen.line([(x, -0.12), (x + 0.05, 0.12)], line, 0.025)


def sun(pen: Pen, inks: Inks) -> None:
    """A rayed sun disc."""
    for each in pen.around(16):
        filled(each, [(-0.13, -0.6), (0.13, -0.6), (0, -1)], inks.second, inks.line)
    pen.dot(0, 0, 0.66, inks.line or inks.second)
    pen.dot(0, 0, 0.61, inks.main)
    pen.ring(0, 0, 0.44, inks.second, 0.06)
    for each in pen.around(12):
        each.dot(0, -0.52, 0.045, inks.second)
    pen.line(spiral(2.2, 0.02, 0.34), inks.second, 0.05)


def temple_car(pen: Pen, inks: Inks) -> None:
    """A small shikhara: the temple tower in steps."""
    for i in range(5):
        half = 0.8 - i * 0.15
        pen.box(-half, 0.8 - i * 0.34, half, 1.08 - i * 0.34, inks.main if i % 2 == 0 else inks.second)
    pen.shape([(-0.2, -0.58), (0.2, -0.58), (0, -1)], inks.main)


def wheel(pen: Pen, inks: Inks) -> None:
    """The chakra: a wheel with eight spokes."""
    pen.ring(0, 0, 1, inks.main, 0.14)
    pen.ring(0, 0, 0.78, inks.second, 0.07)
    for each in pen.around(8):
        each.shape(petal(0.76, 0.2, 0.6), inks.main)
    for i in range(24):
        angle = math.tau * i / 24
        pen.dot(0.93 * math.cos(angle), 0.93 * math.sin(angle), 0.035, inks.second)
    pen.dot(0, 0, 0.2, inks.second)
    pen.dot(0, 0, 0.1, inks.main)
