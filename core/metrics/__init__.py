"""Metrics for Prometheus. docs/metrics.md says what each of them means.

Counters and histograms are counted in each process, and added up by `exposition.text`. What belongs to the whole host,
such as the age of its copy of D1, is read when somebody asks (`gauges`). An app has a module `metrics` of its own.
"""
