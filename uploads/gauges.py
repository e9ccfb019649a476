"""The gauges of images (core.metrics.gauges): the memory that decoders hold."""

from django.conf import settings

from core.metrics.gauges import HostGauge
from uploads.pipeline.decoding import memory_held

DECODING_MEMORY = HostGauge("gallery_decoding_memory_bytes", "Memory that decoders hold")
DECODING_LIMIT = HostGauge("gallery_decoding_memory_limit_bytes", "Memory that all decoders may hold")


def read() -> None:
    DECODING_MEMORY.set(memory_held())
    DECODING_LIMIT.set(settings.DECODING_MEMORY)
