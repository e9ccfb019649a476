"""gunicorn's settings: https://docs.gunicorn.org/en/stable/settings.html."""

import ctypes
import gc
import os
import shutil
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter

    from gallery_project.wire.worker import Worker

bind = f"0.0.0.0:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gallery_project.wire.worker.Worker"
threads = int(os.environ.get("WEB_THREADS", "8"))  # most of a write is waiting for D1
timeout = 60
graceful_timeout = 30
limit_request_line = 0  # the worker has a limit for the address
keepalive = 65  # seconds: longer than the load balancer before it keeps a connection
# A restarted worker has an empty cache of the catalogue.
max_requests = 100_000
max_requests_jitter = 10_000
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108  heartbeats in memory, where Linux has it
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")
# The request log is the service's own; see core.middleware.
accesslog = None
errorlog = "-"
loglevel = os.environ.get("GUNICORN_LOG_LEVEL", "warning")

# Seconds: people wait for the server. Commands wait as long as a call may run on D1 (30 s).
D1_TIMEOUT = "8"
# While D1 hangs, calls to it leave this process threads for reads of the copy.
THREADS_FOR_READS = 2
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of malloc.h
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
fillers: list[subprocess.Popen[bytes]] = []


def return_freed_memory() -> None:
    """Let glibc give freed blocks of a megabyte and more back at once, and keep two arenas, not eight a core.

    It would raise that size with each freed block, and then keep the pictures of each thread (mallopt(3)). Workers
    inherit it.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in {
            M_MMAP_THRESHOLD: 1024**2,
            M_TRIM_THRESHOLD: 1024**2,
            M_ARENA_MAX: 2,
        }.items():
            mallopt(parameter, value)


def on_starting(server: "Arbiter") -> None:
    """Run the system checks before serving, and give the workers' metrics a common folder."""
    return_freed_memory()
    os.environ.setdefault("D1_TIMEOUT", D1_TIMEOUT)
    os.environ.setdefault("D1_MOST_CALLS", str(max(1, threads - THREADS_FOR_READS)))
    os.environ[METRICS_FOLDER] = tempfile.mkdtemp(prefix="gallery-metrics-")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gallery_project.settings")
    import django
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import CommandError, call_command

    try:
        django.setup()
        call_command("check")
    except (ImproperlyConfigured, CommandError) as error:
        sys.exit(str(error))
    settings.DATA.mkdir(mode=0o700, parents=True, exist_ok=True)
    from core import replica, restores

    if (sentence := restores.fault_at_start()) is not None:
        sys.exit(sentence)
    replica.fill_first()
    share_what_is_loaded()


def share_what_is_loaded() -> None:
    """Keep what is imported out of garbage collections, which would give each worker a copy of its own (40 MB)."""
    gc.collect()
    gc.freeze()


def when_ready(server: "Arbiter") -> None:
    """Fill the replica of D1, or update the one on disk; until it can be read the workers answer health calls only.

    It runs in a separate process: the one that forks workers must have no threads.
    """
    from core import replica

    if replica.is_used():
        command = [sys.executable, "-m", "gallery_project.filler", str(os.getpid())]
        fillers.append(subprocess.Popen(command))  # noqa: S603  nothing of it is input


def on_exit(server: "Arbiter") -> None:
    for filler in fillers:
        filler.terminate()
    shutil.rmtree(os.environ.get(METRICS_FOLDER, ""), ignore_errors=True)


def child_exit(server: "Arbiter", worker: "Worker") -> None:
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)
    worker.place.give_back()
