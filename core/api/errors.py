"""The envelope of every error under /api, and the map from exceptions to responses."""

import errno
import logging
import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias, TypedDict

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import Http404, JsonResponse
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from core import errors, races
from core.json_types import JsonObject
from d1backend import OutcomeUnknown, RateLimited

logger = logging.getLogger(__name__)

# The nested details of a ValidationError.
Details: TypeAlias = "Mapping[str, Details] | Sequence[Details] | str"

# The folder DATA, or that of temporary files, is full or cannot be written.
DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO})
RETRY_AFTER = 5  # seconds, unless the failing part gave a time of its own

STATUS_OF = {
    errors.Invalid: 400,
    errors.NotAuthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.TooMany: 429,
    errors.Unavailable: 503,
}
# Code and sentence of responses that have none of their own.
DEFAULTS = {
    400: ("invalid", "Some of the values are not valid."),
    401: ("not_authenticated", "Please sign in."),
    403: ("forbidden", "You are not allowed to do this."),
    404: ("not_found", "There is nothing at this URL."),
    405: ("method_not_allowed", "This URL does not support that method."),
    408: ("request_timeout", "The request took too long to arrive."),
    409: ("conflict", "This conflicts with the stored data."),
    411: ("length_required", "This server does not accept chunked bodies. Please send Content-Length."),
    413: ("too_large", "The request is too large."),
    414: ("address_too_long", "The address is too long."),
    415: ("unsupported_media_type", "This media type is not supported here."),
    417: ("expectation_failed", "This server does not know what the Expect header asks for."),
    429: ("too_many_requests", "Too many requests. Please try again later."),
    431: ("head_too_large", "The headers of the request are too large."),
    500: ("server_error", "Something went wrong on our side. It has been logged."),
    501: ("not_implemented", "This server does not know that transfer coding."),
    503: ("unavailable", "The service is temporarily unavailable. Please try again."),
}


class Context(TypedDict, total=False):
    """What DRF passes to an exception handler, as far as it is used here."""

    request: Request


def envelope(
    status: int, message: str = "", code: str = "", fields: dict[str, list[str]] | None = None
) -> JsonObject:
    """Return the body of an error response. Message and code default to those of the status."""
    default_code, default_message = DEFAULTS.get(status, DEFAULTS[500 if status >= 500 else 400])
    body: JsonObject = {
        "success": False,
        "message": sendable(message) or default_message,
        "code": code or default_code,
    }
    if fields:
        body["errors"] = {sendable(name): [sendable(one) for one in all_] for name, all_ in fields.items()}
    return body


def sendable(text: str) -> str:
    """Return the text with `?` for each lone surrogate, which a repeated value may hold and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()


# The response to a write was lost, and D1 could not report its outcome in time.
UNSETTLED = envelope(
    503,
    "The connection broke, so it is unknown whether this was done. Please check before you try again.",
    "outcome_unknown",
)


def error_response(
    status: int,
    message: str = "",
    code: str = "",
    fields: dict[str, list[str]] | None = None,
    *,
    retry_after: int | None = None,
) -> JsonResponse:
    """Return an error response for code outside DRF's views."""
    response = JsonResponse(envelope(status, message, code, fields), status=status)
    for name, value in error_headers(status, retry_after).items():
        response[name] = value
    return response


def error_headers(status: int, retry_after: int | None = None) -> dict[str, str]:
    """Return the headers that a status requires."""
    if status == 401:
        return {"WWW-Authenticate": "Bearer"}
    if status in (429, 503):
        return {"Retry-After": str(retry_after or RETRY_AFTER)}
    return {}


def exception_handler(exception: Exception, context: Context) -> Response | None:
    """DRF's hook: return the response to an exception of a view; None if the view will run again."""
    if races.is_lost(exception) and getattr(context.get("request"), "may_repeat", False):
        return None
    if isinstance(exception, errors.GalleryError):
        status = status_of(exception)
        body = envelope(status, exception.message, exception.code, exception.fields) | exception.extra
        return Response(body, status, headers=error_headers(status, exception.retry_after))
    if isinstance(exception, exceptions.APIException):
        return api_exception_response(exception)
    if isinstance(exception, ModelValidationError):
        fields = flat_errors(getattr(exception, "message_dict", {}))
        return Response(envelope(400, fields=fields), 400)
    status = status_of_django(exception)
    if status == 429:
        logger.warning("a call to D1 was refused: %s", exception)
    elif status == 503:
        logger.warning("the database is out of reach, or the disk: %s", exception)
    elif status >= 500:
        logger.error("unhandled exception of an API view", exc_info=exception)
    may_be_stored = isinstance(exception, OutcomeUnknown) and not races.is_known_unwritten(exception)
    body = UNSETTLED if may_be_stored else envelope(status)
    return Response(body, status, headers=error_headers(status, wait_of(exception)))


def status_of(error: errors.GalleryError) -> int:
    """Return the status of an exception of a service."""
    return next(STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF)


def wait_of(exception: BaseException | None) -> int | None:
    """Return the seconds that D1 asks clients to wait; None if it did not ask."""
    return math.ceil(getattr(exception, "retry_after", 0)) or None


def api_exception_response(exception: exceptions.APIException) -> Response:
    """Return the response to one of DRF's own exceptions."""
    status = exception.status_code
    wait = getattr(exception, "wait", None)
    headers = error_headers(status, int(wait) + 1 if wait else None)
    if isinstance(exception, exceptions.MethodNotAllowed):
        return Response(envelope(status), status)
    if isinstance(exception, exceptions.ValidationError):
        fields = flat_errors(exception.detail)
        return Response(envelope(status, fields=fields), status)
    if isinstance(exception, exceptions.ParseError):
        return Response(
            envelope(status, "The body cannot be parsed as its Content-Type.", "malformed"), status
        )
    detail = exception.detail
    code = getattr(detail, "code", "")
    known = code if isinstance(exception, exceptions.AuthenticationFailed) else ""
    return Response(envelope(status, str(detail) if known else "", known), status, headers=headers)


def status_of_django(exception: Exception) -> int:
    """Return the status of an exception that carries none."""
    if isinstance(exception, Http404):
        return 404
    if isinstance(exception, PermissionDenied):
        return 403
    if isinstance(exception, RequestDataTooBig):
        return 413
    if isinstance(exception, SuspiciousOperation):
        return 400
    if isinstance(exception, RateLimited) and exception.own:
        return 429
    if isinstance(exception, OSError) and exception.errno in DISK_ERRORS:
        return 503
    if isinstance(exception, OperationalError | InterfaceError) and isinstance(
        exception, DatabaseError | InterfaceError
    ):
        return 503
    return 500


def flat_errors(detail: Details) -> dict[str, list[str]]:
    """Return DRF's nested details as {field: [sentence, …]} without repeats. Dots join the names of nested fields."""
    by_field = detail if isinstance(detail, Mapping) else {"body": detail}
    flat: dict[str, list[str]] = {}
    for name, value in by_field.items():
        field = "body" if name == "non_field_errors" else str(name)
        if isinstance(value, dict):
            flat.update({f"{field}.{inner}": sentences for inner, sentences in flat_errors(value).items()})
        else:
            sentences = value if isinstance(value, list) else [value]
            flat[field] = list(dict.fromkeys(str(sentence) for sentence in sentences))
    return flat
