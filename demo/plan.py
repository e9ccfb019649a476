"""The demo gallery's plan: an endless sequence of designs, the same for a given seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from itertools import product

from PIL import Image

from demo.colours import COLOURS
from demo.drawing import FAMILIES, Style, shown
from demo.names import COLLECTIONS, DESIGNERS, PHRASES
from demo.vocabulary import KINDS, Colourway, Kind

DAYS = 180
FEATURED_SHARE = 0.08


@dataclass(frozen=True)
class DemoDesign:
    """One design of the demo gallery: its database fields, and what its picture is drawn from.

    `created_offset` is its age; `view_weight` and `like_weight` (0 … 1) are its share of views and likes
    compared with other designs.
    """

    title: str
    description: str
    category: str
    style: str
    colour: str
    fabric: str
    occasion: str
    season: str
    designer_name: str
    collection_name: str
    featured: bool
    created_offset: timedelta
    view_weight: float
    like_weight: float
    kind: Kind
    colourway: Colourway
    motif: str
    picture_seed: str

    def draw(self) -> Image.Image:
        """Return the picture, RGB, 900 × 1200; the same at every call."""
        background, border, *accents = (COLOURS[name] for name in self.colourway)
        style = Style(
            rng=random.Random(self.picture_seed),  # noqa: S311
            background=background,
            border=border,
            accents=tuple(accents),
            metal=COLOURS[self.kind.metal],
            motif=self.motif,
            weave=self.kind.weave,
        )
        return shown(self.category, FAMILIES[self.kind.family], style)


def plan(count: int, seed: int) -> Iterator[DemoDesign]:
    """Yield the first `count` designs of the seed's sequence; design i does not depend on `count`."""
    return (_design(index, seed) for index in range(count))


def _design(index: int, seed: int) -> DemoDesign:
    turn, place = divmod(index, len(KINDS))
    kind = KINDS[_kind_order(seed, turn)[place]]
    variants = _variants(kind.name, seed)
    edition, number = divmod(turn, len(variants))
    garment, colourway, motif = variants[number]
    rng = random.Random(f"{seed}/{index}/{kind.name}")  # noqa: S311
    title = _title(rng, kind, garment, colourway, motif)
    likes = rng.betavariate(1.4, 5)
    return DemoDesign(
        title=title if edition == 0 else f"{title}, Edition {edition + 1}",
        description=f"{kind.sentence} {_particulars(rng, kind, garment, colourway, motif)}",
        category=garment,
        style=kind.style,
        colour=colourway[0],
        fabric=kind.fabric,
        occasion=rng.choice(kind.occasions),
        season=rng.choice(kind.seasons),
        designer_name=rng.choice(DESIGNERS),
        collection_name=rng.choice(COLLECTIONS),
        featured=rng.random() < FEATURED_SHARE,
        created_offset=timedelta(seconds=rng.randrange(DAYS * 86400)),
        view_weight=round(min(1.0, likes * rng.uniform(0.7, 1.3)), 4),
        like_weight=round(likes, 4),
        kind=kind,
        colourway=colourway,
        motif=motif,
        picture_seed=f"{seed}/{index}/picture",
    )


@lru_cache(maxsize=64)
def _kind_order(seed: int, turn: int) -> tuple[int, ...]:
    """Return the order of the kinds in one turn through all of them."""
    order = list(range(len(KINDS)))
    random.Random(f"{seed}/order/{turn}").shuffle(order)  # noqa: S311
    return tuple(order)


@lru_cache(maxsize=256)
def _variants(name: str, seed: int) -> tuple[tuple[str, Colourway, str], ...]:
    """Return all combinations of garment, colourway and motif; neighbours differ in all three if possible."""
    kind = next(kind for kind in KINDS if kind.name == name)
    rng = random.Random(f"{seed}/variants/{name}")  # noqa: S311
    garments = rng.sample(kind.garments, len(kind.garments))
    ways = rng.sample(kind.colourways, len(kind.colourways))
    motifs = rng.sample(kind.motifs, len(kind.motifs))
    left = dict.fromkeys(product(garments, ways, motifs))
    result = []
    step = 0
    while left:
        wanted = (garments[step % len(garments)], ways[step % len(ways)], motifs[step % len(motifs)])
        chosen = wanted if wanted in left else next(iter(left))
        del left[chosen]
        result.append(chosen)
        step += 1
    return tuple(result)


def _title(rng: random.Random, kind: Kind, garment: str, colourway: Colourway, motif: str) -> str:
    colour, phrase = colourway[0], PHRASES[motif]
    name = kind.name if kind.name.endswith(garment) else f"{kind.name} {_titled(garment)}"
    if sum(way[0] == colour for way in kind.colourways) > 1:
        colour = f"{colour} and {colourway[1]}"
    colour = _titled(colour)
    return rng.choice(
        (
            f"{colour} {name} with {phrase}",
            f"{name} in {colour} with {phrase}",
            f"{name} with {phrase} in {colour}",
        )
    )


def _titled(words: str) -> str:
    return " ".join(word if word == "and" else word[:1].upper() + word[1:] for word in words.split(" "))


def _particulars(rng: random.Random, kind: Kind, garment: str, colourway: Colourway, motif: str) -> str:
    """Return one sentence about this piece."""
    background, border = colourway[0].lower(), colourway[1].lower()
    colours = f"{background} and {border}" if border != background else f"{background} throughout"
    phrase, piece = PHRASES[motif].lower(), garment.lower()
    technique = kind.technique[0].lower() + kind.technique[1:]
    return rng.choice(
        (
            f"This {piece} from {kind.region}, in {colours}, shows {phrase}.",
            f"Here it makes a {piece} of {kind.fabric.lower()} in {colours}, with {phrase}; {kind.region}.",
            f"The {piece} is in {colours}, with {phrase}: {technique} from {kind.region}.",
        )
    )
