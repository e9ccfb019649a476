"""The findings as lines for people, and as JSON for programs."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from django.core.management.color import Style

from operations.doctor.findings import Status
from operations.doctor.runner import Outcome

FORMAT = 1  # of the JSON: a new number only where a field goes or means something else
MARKS = {Status.OK: "✓", Status.SKIPPED: "-", Status.WARNING: "!", Status.FAULT: "✗"}


def worst(outcomes: Sequence[Outcome]) -> Status:
    """Return the worst status; a skipped check alone is no fault."""
    found = {outcome.finding.status for outcome in outcomes}
    return next((status for status in (Status.FAULT, Status.WARNING) if status in found), Status.OK)


def lines(outcomes: Sequence[Outcome], style: Style) -> Iterator[str]:
    """Yield the lines of the report: sections, a line for each finding and one for its advice, and a summary."""
    paint = {
        Status.OK: style.SUCCESS,
        Status.SKIPPED: str,
        Status.WARNING: style.WARNING,
        Status.FAULT: style.ERROR,
    }
    width = max((len(outcome.check.name) for outcome in outcomes), default=0)
    for section, group in groupby(outcomes, key=lambda outcome: outcome.check.section):
        yield f"\n{section}"
        for outcome in group:
            finding = outcome.finding
            yield f"  {paint[finding.status](MARKS[finding.status])} {outcome.check.name:{width}}  {finding.sentence}"
            if finding.advice:
                yield f"    {'':{width}}  → {finding.advice}"
    yield f"\n{summary(outcomes)}"


def summary(outcomes: Sequence[Outcome]) -> str:
    counts = Counter(outcome.finding.status for outcome in outcomes)
    words = [(Status.FAULT, "fault"), (Status.WARNING, "warning")]
    parts = [f"{counts[status]} {word}{'s' * (counts[status] != 1)}" for status, word in words]
    return f"{', '.join(parts)}, {counts[Status.OK]} ok, {counts[Status.SKIPPED]} not checked."


def as_json(outcomes: Sequence[Outcome], seconds: float) -> str:
    """Return the report for programs; `seconds` is how long it took."""
    counts = Counter(outcome.finding.status for outcome in outcomes)
    checks = [
        {
            "section": outcome.check.section,
            "name": outcome.check.name,
            "status": outcome.finding.status,
            "sentence": outcome.finding.sentence,
            "advice": outcome.finding.advice,
        }
        for outcome in outcomes
    ]
    report = {
        "format": FORMAT,
        "status": worst(outcomes),
        "counts": {status: counts[status] for status in Status},
        "seconds": round(seconds, 1),
        "checks": checks,
    }
    return json.dumps(report, indent=2, ensure_ascii=False)
