"""What Cloudflare's headers say of an account's rate limit.

`Ratelimit: "default";r=50;t=30` (50 calls left for 30 s) and `Ratelimit-Policy: "default";q=1200;w=300` (1,200 calls in
300 s) are lists: https://developers.cloudflare.com/fundamentals/api/reference/limits/#rate-limiting-headers
Before September 2025 it was `X-RateLimit-Remaining` alone. Anything that is not understood is ignored.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from d1backend.protocol.ledger import WINDOW

_ITEM = re.compile(r'\s*(?P<name>"[^"]*"|[\w.*/-]+)\s*(?P<parameters>(?:;[^,;]*)*)')
_PARAMETER = re.compile(r"\s*([a-z]+)\s*=\s*(\d{1,9})\s*")
# Limits of shorter windows, such as 200 calls in a second for an address, say nothing of the account's allowance.
_SHORTEST = 60  # seconds
# How long X-RateLimit-Remaining holds, which does not say when the window ends (seconds).
_UNKNOWN_RESET = 60


@dataclass(frozen=True)
class Headers:
    """`limit`: calls in five minutes; `left`: calls left for the next `seconds`. None where D1 does not say."""

    limit: int | None = None
    left: int | None = None
    seconds: int = 0


def parse_limit(headers: Mapping[str, str]) -> Headers:
    """The limit that an answer of D1 states; of several, the one that leaves the fewest calls."""
    policies = {name: p for name, p in _items(headers.get("Ratelimit-Policy")) if p.get("q") and p.get("w")}
    rates = [p["q"] * WINDOW // p["w"] for p in policies.values() if p["w"] >= _SHORTEST]
    limit = min(rates, default=None) or None
    states = [
        (p["r"], p["t"])
        for name, p in _items(headers.get("Ratelimit"))
        if "r" in p and "t" in p and policies.get(name, {}).get("w", WINDOW) >= _SHORTEST
    ]
    remaining = headers.get("X-RateLimit-Remaining", "").strip()
    if not states and remaining.isascii() and remaining.isdecimal() and len(remaining) < 10:
        states = [(int(remaining), _UNKNOWN_RESET)]
    left, seconds = min(states, default=(None, 0))
    return Headers(limit, left, min(seconds, WINDOW))


def _items(value: str | None) -> list[tuple[str, dict[str, int]]]:
    """The names and parameters of a list; parameters that are no whole numbers are left out."""
    found = []
    for text in (value or "").split(","):
        if item := _ITEM.fullmatch(text):
            parameters = (_PARAMETER.fullmatch(p) for p in item["parameters"].split(";"))
            found.append((item["name"].strip('"'), {p[1]: int(p[2]) for p in parameters if p}))
    return found
