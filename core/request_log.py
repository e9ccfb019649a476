"""Middleware: each request gets an id, and its response a line in the log. docs/logs.md describes the fields."""

import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import TypeGuard

from django.db import connections
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from core.logs.current import CURRENT, Current, Pieces
from core.metrics.requests import observe
from core.request_body import NOTES
from core.routes import method_of, route_of
from d1backend.protocol.api import Usage

logger = logging.getLogger("gallery.request")

HEALTH = "/health"
SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


def request_log(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Give each request an id (the client's own, if sane) and log one line for its response when that begins.

    While it is answered, and its parts are streamed, every line of this thread carries the id.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        notes = request.META.get(NOTES)
        current = current_of(request, {} if notes is None else notes)
        current.request = request
        token = CURRENT.set(current)
        try:
            response = answer(request, current)
        finally:
            # gallery_project.wire does it when the answer is sent: what fails on the way belongs to the request too.
            if notes is None:
                CURRENT.reset(token)
        return response

    def answer(request: HttpRequest, current: Current) -> HttpResponseBase:
        before = usage()
        start = time.perf_counter()
        response = get_response(request)
        response["X-Request-ID"] = current.request_id

        def begin() -> None:
            seconds, used = time.perf_counter() - start, usage().since(before)
            route = route_of(request)
            observe(request.method or "", route, response.status_code, seconds, used.round_trips)
            log_response(request, route, response, seconds, used)

        if is_made_in_parts(response):
            response.streaming_content = Pieces(iter(response), current, begin)
        else:
            begin()
        return response

    return middleware


def is_made_in_parts(response: HttpResponseBase) -> TypeGuard[StreamingHttpResponse]:
    """Return whether the service makes the parts of the response while they are sent; not those of a file."""
    is_file = getattr(response, "file_to_stream", None) is not None
    return isinstance(response, StreamingHttpResponse) and not response.is_async and not is_file


def current_of(request: HttpRequest, notes: dict[str, Current]) -> Current:
    """Return who the request is for the log; the same when the server runs it again, whose notes outlive a run."""
    given = request.META.get("HTTP_X_REQUEST_ID", "")
    request_id = given if SANE_REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
    return notes.setdefault(CURRENT.name, Current(request_id))


def usage() -> Usage:
    """Return what this thread's connections have used of D1 so far; nothing on other engines."""
    used = Usage()
    for connection in connections.all(initialized_only=True):
        if (own := getattr(connection, "usage", None)) is not None:
            used.add(own)
    return used


def log_response(
    request: HttpRequest, route: str, response: HttpResponseBase, seconds: float, used: Usage
) -> None:
    """Log a line, unless it is of a health check that succeeded."""
    if not logger.isEnabledFor(logging.INFO):
        return
    if route.startswith(HEALTH) and response.status_code < 300:
        return
    length = response.headers.get("Content-Length")
    fields = {
        "method": method_of(request.method),
        "route": route,
        "status": response.status_code,
        "ms": round(seconds * 1000, 1),
        "round_trips": used.round_trips,
        "rows_read": used.rows_read,
        "rows_written": used.rows_written,
        "bytes": int(length) if length else None,
    }
    logger.info("%s %s %d", fields["method"], route, response.status_code, extra={"fields": fields})
