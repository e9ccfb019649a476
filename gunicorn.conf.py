"""gunicorn's settings: https://docs.gunicorn.org/en/stable/settings.html."""

import atexit
import ctypes
import gc
import io
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured

from core import metrics_folder
from core.logs import configuration as logs
from core.variables import declared as v
from core.variables.checking import load

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter

    from gallery_project.wire.worker import Worker

try:
    env = load()
except ImproperlyConfigured as error:
    sys.exit(str(error))

bind = f"0.0.0.0:{env[v.PORT]}"
workers = env[v.WEB_CONCURRENCY]
worker_class = "gallery_project.wire.worker.Worker"
threads = env[v.WEB_THREADS]  # most of a write is waiting for D1
timeout = 60
graceful_timeout = 30
limit_request_line = 0  # the worker has a limit for the address
keepalive = 65  # seconds: longer than the load balancer before it keeps a connection
# A restarted worker has an empty cache of the catalogue.
max_requests = 100_000
max_requests_jitter = 10_000
memory_folder = metrics_folder.MEMORY if os.path.isdir(metrics_folder.MEMORY) else None
worker_tmp_dir = memory_folder  # the heartbeats
control_socket_disable = True  # it would lie in the user's home, one for all their servers
proxies = env[v.FORWARDED_ALLOW_IPS]
forwarded_allow_ips = ",".join(proxies)
# The request log is the service's own; core/request_log.py.
accesslog = None
logger_class = "gallery_project.wire.logger.Logger"
errorlog = "-"
# gunicorn's lines have the format of the others, also before the settings are loaded.
logconfig_dict = logs.configuration("INFO", env.get(v.LOG_FORMAT, logs.default_format(env.is_production)))
loglevel = env[v.GUNICORN_LOG_LEVEL]

# Seconds: people wait for the server. Commands wait as long as a call may run on D1 (30 s).
D1_TIMEOUT = "8"
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of malloc.h
METRICS_PREFIX = f"{metrics_folder.PREFIX}{os.getpid()}-"
fillers: list[subprocess.Popen[bytes]] = []


def remove_metrics(folder: str, owner: int) -> None:
    """Remove the workers' metrics when their server ends; workers, which end the same way, leave them."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


# What Django and the metrics go by when they load: with --preload, which Render adds, before on_starting().
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gallery_project.settings")
if not env.text_of(v.D1_TIMEOUT):
    os.environ[v.D1_TIMEOUT.name] = D1_TIMEOUT
if not env.text_of(v.D1_MOST_CALLS):
    os.environ[v.D1_MOST_CALLS.name] = str(max(1, threads - v.THREADS_FOR_READS))
# A reload keeps the folder; a process that another gunicorn started has one of its own.
if not Path(os.environ.get(metrics_folder.FOLDER, "")).name.startswith(METRICS_PREFIX):
    os.environ[metrics_folder.FOLDER] = tempfile.mkdtemp(prefix=METRICS_PREFIX, dir=memory_folder)
    atexit.register(remove_metrics, os.environ[metrics_folder.FOLDER], os.getpid())


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
    """Run the system checks before serving, and say what starts."""
    return_freed_memory()
    import django
    from django.conf import settings
    from django.core.management import CommandError, call_command

    try:
        django.setup()
        warnings = io.StringIO()
        call_command("check", stdout=io.StringIO(), stderr=warnings)
    except (ImproperlyConfigured, CommandError) as error:
        sys.exit(str(error))
    for line in warnings.getvalue().splitlines():
        server.log.warning("%s", line)
    if settings.SENTRY_DSN:
        from gallery_project import error_reports

        error_reports.be_silent_here()
    from core import replica, restores
    from gallery_project import starting

    try:
        starting.require_static_files()
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    settings.DATA.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (sentence := restores.fault_at_start()) is not None:
        sys.exit(sentence)
    starting.log_start(server.cfg.workers, server.cfg.threads)
    starting.warn_of_memory(server.cfg.workers)
    replica.fill_first()
    metrics_folder.remove_left()
    starting.load_what_workers_share()
    share_what_is_loaded()


def on_reload(server: "Arbiter") -> None:
    """Say what SIGHUP does not do: this process has loaded the code that its workers run, so that they share it."""
    server.log.warning(
        "SIGHUP: new workers start, with the code and the settings that this server started with. "
        "Restart it for others."
    )


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


def child_exit(server: "Arbiter", worker: "Worker") -> None:
    from core.metrics import exposition

    exposition.process_ended()
    worker.place.give_back()
