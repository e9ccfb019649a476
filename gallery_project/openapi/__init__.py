"""The OpenAPI document as a whole: what is said of every operation alike, and the calls that are not views of DRF."""

from typing import Any, TypeAlias

# A part of the document.
Node: TypeAlias = dict[str, Any]
