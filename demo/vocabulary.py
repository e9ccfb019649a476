"""The kinds of the demo gallery: textile traditions, each with what is true of it, read from kinds/*.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Colourway = tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """One tradition of weaving, dyeing, printing, painting or stitching.

    A colourway names ground, border and three accents (keys of COLOURS); `metal` names the colour of its
    zari, or of the plain yarn in its place. `family` and `motifs` say how the drawing package draws it,
    `weave` what its surface is.
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


def _frozen(value: Any) -> Any:
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value


def _read(path: Path) -> list[Kind]:
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["kind"]
    return [Kind(**{key: _frozen(value) for key, value in entry.items()}) for entry in entries]


KINDS: tuple[Kind, ...] = tuple(
    kind for path in sorted((Path(__file__).parent / "kinds").glob("*.toml")) for kind in _read(path)
)
