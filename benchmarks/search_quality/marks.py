"""How well answers fit their queries.

`hit10`: the share of queries with a meant design among the first 10. `p10`: the share of the designs among the first
10 that are meant. `r50`: the share of the meant, 50 of them at most, that are among the first 50. `zero`: the share of
queries that mean something and found nothing. `conf`: the share of the queries with `never`, and of those that mean
nothing, that found what they must not. `score`: the mean of hit10, p10 and r50; 1 or 0 where nothing is meant; 0
where a `never` came. The total is the mean of the kinds.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from benchmarks.search_quality.rules import Query, Texts

SHOWN, LOOKED_AT = 10, 50
COLUMNS = ("hit10", "p10", "r50", "zero", "conf", "score")

Marks = dict[str, float]


def marks_of(query: Query, ids: Sequence[int], designs: dict[int, Texts]) -> Marks:
    """One query's figures; one that does not apply is left out."""
    first = ids[:SHOWN]
    marks: Marks = {}
    if query.want:
        meant = {key for key, design in designs.items() if query.want.holds(design)}
        right = [key for key in first if key in meant]
        marks["hit10"] = float(bool(right))
        marks["p10"] = len(right) / len(first) if first else 0.0
        marks["r50"] = len(meant & set(ids[:LOOKED_AT])) / min(LOOKED_AT, len(meant)) if meant else 0.0
        marks["zero"] = float(not ids)
        marks["score"] = (marks["hit10"] + marks["p10"] + marks["r50"]) / 3
    elif query.never:
        marks["score"] = 1.0
    else:
        marks["score"], marks["conf"] = float(not ids), float(bool(ids))
    if query.never:
        banned = any(query.never.holds(designs[key]) for key in first)
        marks["conf"] = float(banned)
        marks["score"] = 0.0 if banned else marks["score"]
    return marks


def mean(rows: Iterable[Marks], name: str) -> float | None:
    values = [row[name] for row in rows if name in row]
    return 100 * sum(values) / len(values) if values else None


def table(
    queries: Sequence[Query], answers: Sequence[Sequence[int]], designs: dict[int, Texts]
) -> dict[str, Marks]:
    """Per cent, by kind and in "TOTAL"; figures that do not apply are left out."""
    kinds: dict[str, list[Marks]] = defaultdict(list)
    for query, ids in zip(queries, answers, strict=True):
        kinds[query.kind].append(marks_of(query, ids, designs))
    every = [row for rows in kinds.values() for row in rows]
    result = {
        kind: {name: value for name in COLUMNS if (value := mean(rows, name)) is not None}
        for kind, rows in {**kinds, "TOTAL": every}.items()
    }
    scores = [marks["score"] for kind, marks in result.items() if kind != "TOTAL"]
    result["TOTAL"]["score"] = sum(scores) / len(scores)
    return result


def shown(title: str, result: dict[str, Marks]) -> str:
    lines = [title, f"{'':10}" + "".join(f"{name:>7}" for name in COLUMNS)]
    for kind, marks in result.items():
        cells = (f"{marks[name]:7.1f}" if name in marks else f"{'–':>7}" for name in COLUMNS)
        lines.append(f"{kind:10}" + "".join(cells))
    return "\n".join(lines) + "\n"
