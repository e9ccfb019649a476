"""Checks of this host: its folder, its disk, its memory, the cache, and what stands in front of it."""

import secrets
import shutil
import stat
from pathlib import Path

import redis
from django.conf import settings
from django.core.cache import caches

from core import limits
from operations.doctor.findings import Finding, Visit, fault, ok, warning

MEGABYTE = 1024**2
LITTLE_DISK, NO_DISK = 1024 * MEGABYTE, 200 * MEGABYTE
# Of a catalogue of 100,000 designs from the copy of D1 (docs/doctor.md): what the first process, the fill beside it and
# a picture that is decoded take together, and each worker.
BASE, EACH_WORKER = 100 * MEGABYTE, 165 * MEGABYTE
DECODING = 160 * MEGABYTE  # is a part of these
TIGHT = 0.9  # of the limit
RENDERS_HEADER = "CF-Connecting-IP"


def data(visit: Visit) -> Finding:
    """DATA can be written, and nobody else reads it."""
    folder: Path = settings.DATA
    probe = folder / f".doctor-{secrets.token_hex(8)}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe.write_bytes(b"doctor")
        written = probe.read_bytes()
    except OSError as error:
        return fault(
            f"The folder in DATA cannot be written: {error.strerror}.",
            "Name a folder that the service's user owns, or mount the disk for writing.",
        )
    finally:
        remove(probe)
    if written != b"doctor":
        return fault("The folder in DATA gives back other bytes than were written.", "Replace the disk.")
    mode = folder.stat().st_mode
    if mode & 0o077 and not mode & stat.S_ISVTX:
        return warning("Other users of this host may read DATA.", "Run `chmod 700` on it.")
    return ok("DATA can be written, and only its owner reads it.")


def remove(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError:
        return  # it was never written


def disk(visit: Visit) -> Finding:
    """There is room for a second copy of D1, which a migration needs, and for uploads."""
    found = shutil.disk_usage(settings.DATA)
    copy = sum(file.stat().st_size for file in (settings.DATA / "replica").glob("replica-*.sqlite3"))
    sentence = f"The disk of DATA has {found.free / MEGABYTE:,.0f} MB free."
    advice = "Free some, or give DATA a larger disk: a new copy of D1 is made beside the old one."
    if found.free < NO_DISK + copy:
        return fault(sentence, advice)
    return ok(sentence) if found.free >= LITTLE_DISK + copy else warning(sentence, advice)


def memory(visit: Visit) -> Finding:
    """The workers have room in this host's memory."""
    return judged_memory(settings.MEMORY_LIMIT, settings.WEB_CONCURRENCY, settings.DECODING_MEMORY)


def judged_memory(limit: int, workers: int, decoding: int) -> Finding:
    """Judge whether so many workers fit the limit, with what may be used for decoding pictures (bytes)."""
    needed = BASE + workers * EACH_WORKER + max(0, decoding - DECODING)
    fitting = max(1, (limit - needed + workers * EACH_WORKER) // EACH_WORKER)
    sentence = (
        f"WEB_CONCURRENCY is {workers}: with 100,000 designs they take about {needed / MEGABYTE:,.0f} MB "
        f"of this host's {limit / MEGABYTE:,.0f} MB."
    )
    if needed > limit:
        return fault(
            sentence, f"Set WEB_CONCURRENCY to {fitting}, lower DECODING_MEMORY_MB, or take a larger host."
        )
    if needed > TIGHT * limit and workers > 1:
        return warning(sentence, "Watch the memory, or set WEB_CONCURRENCY one lower.")
    return ok(sentence)


def cache(visit: Visit) -> Finding:
    """The limits are counted where the settings say."""
    place = settings.CACHES["default"]
    hosts = settings.DATABASES["default"].get("OPTIONS", {}).get("hosts", 1)
    if place["BACKEND"] != limits.REDIS:
        if hosts > 1:
            return warning(
                f"Each of the {hosts} hosts counts limits by itself.",
                "Set CACHE_URL to a Redis that all of them use.",
            )
        return ok("Limits are counted in files of this host.")
    client = caches["default"]._cache.get_client()  # type: ignore[attr-defined]
    try:
        client.ping()
    except redis.RedisError as error:
        return fault(
            f"The Redis in CACHE_URL does not answer: {type(error).__name__}.",
            "Start it or correct CACHE_URL; until then each host counts limits by itself.",
        )
    return ok("The Redis in CACHE_URL answers.")


def proxies(visit: Visit) -> Finding:
    """The client's address is taken from where the proxy in front of the service writes it."""
    header, count = settings.CLIENT_ADDRESS_HEADER, settings.NUM_PROXIES
    if settings.RENDER_HOSTS:
        if header.lower() == RENDERS_HEADER.lower():
            return ok(f"The client's address comes from {header}, which Cloudflare sets in front of Render.")
        return fault(
            f"On Render the client's address is in {RENDERS_HEADER}, and CLIENT_ADDRESS_HEADER does not say so.",
            f"Set CLIENT_ADDRESS_HEADER to {RENDERS_HEADER}, and remove NUM_PROXIES.",
        )
    if header:
        return ok(f"The client's address comes from {header}: the outermost proxy must overwrite it.")
    if count:
        return ok(f"The client's address comes from X-Forwarded-For, to which {count} proxies append.")
    if not settings.PRODUCTION:
        return ok("The client's address is the socket's, as no proxy is expected in development.")
    return warning(
        "The client's address is the socket's: behind a proxy all clients share one limit.",
        "Set CLIENT_ADDRESS_HEADER or NUM_PROXIES (docs/deployment.md), unless no proxy is in front.",
    )
