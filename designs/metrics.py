"""Metrics of the catalogue: what a process found in its memory."""

from prometheus_client import Counter

LOOKUPS = Counter("gallery_cache_lookups", "Lookups in the caches of the catalogue", ["cache", "result"])
