"""The input of a family of pictures (a style) and its output (a field, a border, a pallu)."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from PIL import Image

from demo.drawing import creatures, motifs
from demo.drawing.bands import Strip
from demo.drawing.cloth import Size, lightness, mix
from demo.drawing.motifs import Inks, Motif
from demo.drawing.pen import RGB

WHITE: RGB = (250, 246, 236)
BLACK: RGB = (34, 28, 30)

MOTIFS: dict[str, Motif] = {
    "peacock": creatures.peacock,
    "parrot": creatures.parrot,
    "swan": creatures.swan,
    "elephant": creatures.elephant,
    "horse": creatures.horse,
    "fish": creatures.fish,
    "deer": creatures.deer,
    "dancer": creatures.dancer,
    "sun": creatures.sun,
    "temple": creatures.temple_car,
    "wheel": creatures.wheel,
    "lotus": motifs.lotus,
    "mango": motifs.paisley,
    "flower": motifs.flower,
    "marigold": motifs.rosette,
    "sprig": motifs.sprig,
    "poppy": motifs.poppy,
    "tree": motifs.tree,
    "almond": motifs.almond,
    "coin": motifs.coin,
    "star": motifs.star,
    "rudraksha": motifs.bead,
    "lozenge": motifs.lozenge,
    "diamond": motifs.lozenge,
    "wave": motifs.lozenge,
    "line": motifs.almond,
}


@dataclass(frozen=True)
class Style:
    """The choices of one picture: its colours, its leading motif, its weave and its random numbers."""

    rng: random.Random
    background: RGB
    border: RGB
    accents: tuple[RGB, ...]
    metal: RGB
    motif: str
    weave: str

    @property
    def drawing(self) -> Motif:
        """The leading motif; a flower where its name is a pattern rather than a figure."""
        return MOTIFS.get(self.motif, motifs.flower)

    def accent(self, index: int = 0) -> RGB:
        return self.accents[index % len(self.accents)]

    @property
    def dark(self) -> RGB:
        """The darkest colour of the style, for outlines."""
        return min((self.background, self.border, *self.accents, BLACK), key=lightness)

    @property
    def light(self) -> RGB:
        return max((self.background, self.border, *self.accents, (236, 222, 196)), key=lightness)

    @property
    def woven_inks(self) -> Inks:
        """Zari on the background, with accents as meena."""
        meena = [tone for tone in self.accents if contrast(tone, self.background) > 0.2] or [self.border]
        return Inks(self.metal, meena[0], meena[-1])

    @property
    def border_inks(self) -> Inks:
        """Zari on the border."""
        heart = self.background if contrast(self.background, self.border) > 0.12 else self.accent(0)
        return Inks(self.metal, heart, mix(self.metal, self.border, 0.35))

    def contrasted(self) -> Style:
        """The same style with background and border exchanged, for a second piece worn with the first."""
        return replace(self, background=self.border, border=self.background)

    def visible_on(self, background: RGB, *wanted: RGB) -> RGB:
        """The first of the wanted colours that stands out from the background; else the metal or white."""
        return next(
            (
                colour
                for colour in (*wanted, *self.accents, self.border, self.metal, WHITE)
                if contrast(colour, background) > 0.2
            ),
            BLACK,
        )


def contrast(a: RGB, b: RGB) -> float:
    """How far two colours are apart, 0 … 1, counting hue as well as lightness."""
    return sum(abs(x - y) for x, y in zip(a, b, strict=True)) / 765 + abs(lightness(a) - lightness(b)) / 2


@dataclass(frozen=True)
class Family:
    """A technique of making cloth: it draws the field (RGB), the side border and the pallu."""

    field: Callable[[Style, Size], Image.Image]
    border: Callable[[Style], list[Strip]]
    pallu: Callable[[Style], list[Strip]]
