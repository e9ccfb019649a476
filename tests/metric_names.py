"""The names of all metrics: as the code declares them, as docs/metrics.md has them, and as a file uses them."""

import re
from pathlib import Path

from prometheus_client import REGISTRY

from core.metrics.gauges import HOST
from tests.scrape import ENDINGS

DOCS = Path(__file__).parents[1] / "docs"
PAGE, ALERTS, DASHBOARD = DOCS / "metrics.md", DOCS / "alerts.yml", DOCS / "grafana-dashboard.json"


def declared():
    """The kind and labels of each metric, by its name as a sample has it (of a histogram: without its ending)."""
    found = {gauge.name: ("gauge", tuple(gauge.labels)) for gauge in HOST.gauges}
    for metric in set(REGISTRY._collector_to_names):
        name = getattr(metric, "_name", "")
        if name.startswith("gallery_"):
            ending = "_total" if metric._type == "counter" else ""
            found[name + ending] = (metric._type, tuple(metric._labelnames))
    return found


def declared_names():
    return {name + ending for name, (kind, _) in declared().items() for ending in ENDINGS.get(kind, ("",))}


def documented():
    """The same, of the rows `| name | kind | labels | meaning |`."""
    rows = re.findall(r"^\| `(gallery_\w+)` \| (\w+) \|([^|]*)\| \S", PAGE.read_text(), re.M)
    return {name: (kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


def used_in(text):
    return set(re.findall(r"\bgallery_\w+", text))
