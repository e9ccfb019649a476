"""What a test reads of /metrics: its samples, and the names that rules and dashboards may use."""

import re

from prometheus_client.parser import text_string_to_metric_families

TOKEN = "a-token-for-prometheus"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
ENDINGS = {"histogram": ("_bucket", "_count", "_sum")}


class Scrape:
    """The metrics as one scrape found them."""

    def __init__(self, text):
        self.text = text
        self.samples = [
            sample for family in text_string_to_metric_families(text) for sample in family.samples
        ]

    def sum(self, name, **labels):
        """The sum of the samples with that name and, among others, these labels; 0 without any."""
        return sum(s.value for s in self.samples if s.name == name and labels.items() <= s.labels.items())

    def has(self, name):
        return any(sample.name == name for sample in self.samples)

    @property
    def names(self):
        """The names of the gallery's samples, also of those that have no value yet."""
        kinds = re.findall(r"^# TYPE (gallery_\w+) (\w+)$", self.text, re.M)
        kinds = [(name, kind) for name, kind in kinds if not name.endswith("_created")]
        return {name + ending for name, kind in kinds for ending in ENDINGS.get(kind, ("",))}
