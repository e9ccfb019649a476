"""Fills galleries, asks them, prints a table for each and names every aim that is missed.

SIZE= gives the numbers of designs ("240 2000"), SEED= the first seed of the slips (by chance), DETAIL=1 shows each
query's figures, BASE= and TOKEN= ask a server that runs.
"""

import os
import secrets
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import requests

from benchmarks import systems
from benchmarks.search_quality.marks import COLUMNS, LOOKED_AT, Marks, marks_of, shown, table
from benchmarks.search_quality.rules import FIELDS, Query, Texts, folded, judged
from benchmarks.search_quality.slips import slips
from devtools.ports import free_port

SLIPS = 200
SIZES = "240 2000"
WITHOUT_SYNONYMS = "from designs.models import Synonym; Synonym.objects.all().delete()"


class Gallery:
    def __init__(self, base: str, token: str) -> None:
        self.base = base
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"

    def items(self, **parameters: str | int) -> list[dict[str, str | int]]:
        answer = self.session.get(f"{self.base}/api/designs", params=parameters, timeout=60)
        answer.raise_for_status()
        found: list[dict[str, str | int]] = answer.json()["items"]
        return found

    def designs(self) -> dict[int, Texts]:
        found: dict[int, Texts] = {}
        page = 1
        while items := self.items(page=page, per_page=100, sort="oldest"):
            found |= {
                int(item["id"]): {name: folded(str(item[name] or "")) for name in FIELDS} for item in items
            }
            page += 1
        return found

    def answers(self, queries: Iterable[Query]) -> list[list[int]]:
        return [
            [int(item["id"]) for item in self.items(search=query.text, per_page=LOOKED_AT)]
            for query in queries
        ]


def main() -> None:
    seed = int(os.environ.get("SEED") or secrets.randbelow(1_000_000))
    faults: list[str] = []
    if base := os.environ.get("BASE"):
        gallery = Gallery(base, os.environ["TOKEN"])
        faults += asked_sets(base, gallery, gallery.designs()) + asked_slips(gallery, gallery.designs(), seed)
    else:
        for size in map(int, (os.environ.get("SIZE") or SIZES).split()):
            faults += measured(size, seed)
    if faults:
        sys.exit("\n".join(faults))


def measured(size: int, seed: int) -> list[str]:
    """What is missed by a new gallery of so many designs, with the shipped synonyms and without any."""
    with tempfile.TemporaryDirectory(prefix="gallery-quality-") as folder:
        data, port = Path(folder), free_port()
        env = systems.environment(data)
        [token] = systems.fill(size, 1, env)
        with systems.gallery(data, port, env) as system:
            gallery = Gallery(system.url, token)
            designs = gallery.designs()
            faults = asked_sets(f"{size:,} designs", gallery, designs)
            faults += asked_slips(gallery, designs, seed)
        systems.manage(env, "shell", "--command", WITHOUT_SYNONYMS)
        with systems.gallery(data, port, env) as system:
            title = f"{size:,} designs, no synonyms"
            return faults + asked_sets(title, Gallery(system.url, token), designs, total=80.0)


def asked_sets(title: str, gallery: Gallery, designs: dict[int, Texts], total: float = 88.0) -> list[str]:
    # A query whose designs this catalogue has none of says nothing of its search.
    queries = [query for query in judged() if not query.want or any(map(query.want.holds, designs.values()))]
    result = told(title, queries, gallery.answers(queries), designs)
    aims = [("TOTAL", "score", total)]
    # Not p10, which takes a mulberry-coloured silk saree for wrong where mulberry silk is meant.
    aims += [(kind, name, 99.0) for kind in ("exact", "prefix") for name in ("hit10", "r50")]
    every = result["TOTAL"]
    faults = [missed(title, kind, name, result[kind], least) for kind, name, least in aims]
    if total >= 88.0:
        most = {"zero": 5.0, "conf": 4.0}
        faults += [
            f"{title}: {name} is {every[name]:.1f}; at most {limit:g}."
            for name, limit in most.items()
            if every[name] > limit
        ]
    return list(filter(None, faults))


def asked_slips(gallery: Gallery, designs: dict[int, Texts], seed: int) -> list[str]:
    faults = []
    for each in (seed, seed + 1):
        title = f"slips, {len(designs):,} designs, seed {each}"
        queries = sorted(slips(SLIPS, str(each), designs), key=lambda query: query.kind)
        result = told(title, queries, gallery.answers(queries), designs)
        faults.append(missed(title, "TOTAL", "hit10", result["TOTAL"], 90.0))
    return list(filter(None, faults))


def missed(title: str, kind: str, name: str, marks: Marks, least: float) -> str:
    return (
        "" if marks[name] >= least else f"{title}: {name} of {kind} is {marks[name]:.1f}; at least {least:g}."
    )


def told(
    title: str, queries: Sequence[Query], answers: Sequence[Sequence[int]], designs: dict[int, Texts]
) -> dict[str, Marks]:
    if os.environ.get("DETAIL"):
        for query, ids in zip(queries, answers, strict=True):
            marks = marks_of(query, ids, designs)
            cells = " ".join(f"{name}={marks[name]:.2f}" for name in COLUMNS if name in marks)
            sys.stdout.write(f"    {query.kind:9} {query.text!r:42} {cells}\n")
    result = table(queries, answers, designs)
    sys.stdout.write(shown(f"\n{title} (per cent)", result))
    return result


if __name__ == "__main__":
    main()
