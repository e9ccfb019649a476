"""Reports errors to Sentry, or a server that speaks its protocol. Imported only where SENTRY_DSN is set.

A report is what the log has of an error: the exception with its traceback, the route, the ids of the request and the
user. What a client sent is not in it, nor the values of variables: docs/logs.md.
"""

import os
import sys
from typing import Any

import sentry_sdk
from django.conf import settings
from django.core.management import CommandError
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.integrations.logging import LoggingIntegration

from core.api.errors import status_of_django
from core.logs.current import CURRENT
from core.logs.hiding import hide_sent
from core.routes import method_of, route_of

# Parts of a report that are sent as they are. What is missing here may have what a client sent.
KEPT = ("event_id", "timestamp", "platform", "level", "logger", "release", "environment", "sdk", "modules")
FRAME = (
    "filename",
    "abs_path",
    "function",
    "module",
    "lineno",
    "pre_context",
    "context_line",
    "post_context",
    "in_app",
)

Event = dict[str, Any]
silent_process = 0


def start() -> None:
    """Report what is logged as an error, and exceptions of views, by a thread that begins with the first report."""
    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        release=settings.VERSION,
        environment=settings.ENVIRONMENT,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        server_name="",
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            DjangoIntegration(signals_spans=False),
            LoggingIntegration(level=None, sentry_logs_level=None),
            DedupeIntegration(),
            AtexitIntegration(callback=lambda pending, timeout: None),  # its own prints to stderr
        ],
        # What would start threads of their own, or send more than errors.
        auto_session_tracking=False,
        enable_backpressure_handling=False,
        enable_metrics=False,
        send_client_reports=False,
        before_send=stripped,  # type: ignore[arg-type]
    )


def be_silent_here() -> None:
    """Report nothing from this process, which forks others and so may have no threads."""
    global silent_process
    silent_process = os.getpid()


def stripped(event: Event, hint: dict[str, Any]) -> Event | None:
    """Return a report without what clients sent; None for what is no fault of the service."""
    error = hint.get("exc_info", (None, None))[1]
    is_outage = isinstance(error, Exception) and status_of_django(error) != 500
    if os.getpid() == silent_process or is_outage:
        return None
    kept = {name: event[name] for name in KEPT if name in event}
    if "exception" in event:
        kept["exception"] = {"values": [without_values(one) for one in event["exception"]["values"]]}
    if log := event.get("logentry"):
        kept["logentry"] = {"message": hide_sent(str(log.get("formatted") or log.get("message", "")))}
    if "message" in event:
        kept["message"] = hide_sent(str(event["message"]))
    return kept | whose()


def without_values(exception: Event) -> Event:
    """Return an exception of a report: its type, what it says, and where it was."""
    frames = (exception.get("stacktrace") or {}).get("frames", [])
    return {
        "type": exception.get("type"),
        "module": exception.get("module"),
        "value": hide_sent(str(exception.get("value") or "")),
        "mechanism": {"type": "generic", "handled": (exception.get("mechanism") or {}).get("handled", True)},
        "stacktrace": {
            "frames": [{name: frame[name] for name in FRAME if name in frame} for frame in frames]
        },
    }


def whose() -> Event:
    """Return the request, or the command, that a report is about."""
    current = CURRENT.get()
    if current is None or current.request is None:
        return (
            {"tags": {"command": sys.argv[1]}} if sys.argv[0].endswith("manage.py") and sys.argv[1:] else {}
        )
    route = route_of(current.request)
    tags = {
        "request_id": current.request_id,
        "route": route,
        "method": method_of(current.request.method),
    }
    user = {} if current.user_id is None else {"user": {"id": str(current.user_id)}}
    return {"tags": tags, "transaction": route, **user}


def report_command(error: BaseException | None) -> None:
    """Report why a command failed that nobody watches, such as a cron's."""
    if isinstance(error, CommandError) and not sys.stderr.isatty():
        sentry_sdk.capture_exception(error)
        sentry_sdk.flush(2)
