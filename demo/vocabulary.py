"""The kinds of the demo gallery: textile traditions and their facts, read from kinds/*.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

Colourway = tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """One tradition of weaving, dyeing, printing, painting or stitching.

    A colourway names background, border and three accents (keys of COLOURS); `metal` names the colour of its
    zari, or of the plain yarn in its place. `family` and `motifs` select how the drawing package draws
    it, `weave` its surface.
    """

    name: str
    garments: tuple[str, ...]
    region: str
    fabric: str
    technique: str
    occasions: tuple[str, ...]
    style: str
    seasons: tuple[str, ...]
    sentence: str
    family: str
    motifs: tuple[str, ...]
    weave: str
    metal: str
    colourways: tuple[Colourway, ...]


_LISTS = ("garments", "occasions", "seasons", "motifs")


def _read(path: Path) -> Iterator[Kind]:
    for entry in tomllib.loads(path.read_text(encoding="utf-8"))["kind"]:
        tuples = {name: tuple(entry[name]) for name in _LISTS}
        yield Kind(**entry | tuples | {"colourways": tuple(map(tuple, entry["colourways"]))})


KINDS: tuple[Kind, ...] = tuple(
    kind for path in sorted((Path(__file__).parent / "kinds").glob("*.toml")) for kind in _read(path)
)
