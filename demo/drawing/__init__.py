"""Pictures of textiles, drawn from the geometry of their techniques."""

from __future__ import annotations

from demo.drawing import darning, hills, loom, ornament, painted, prints, resist, stitches
from demo.drawing.staging import shown
from demo.drawing.style import Family, Style

FAMILIES: dict[str, Family] = {
    **loom.FAMILIES,
    **resist.FAMILIES,
    **prints.FAMILIES,
    **stitches.FAMILIES,
    **darning.FAMILIES,
    **ornament.FAMILIES,
    **painted.FAMILIES,
    **hills.FAMILIES,
}

__all__ = ["FAMILIES", "Style", "shown"]
