"""When a request's body is read: before it is there, or over its limit.

Both end the view by an exception that no `except Exception` on the way takes for a failure of the view.
"""

from typing import NoReturn

from django.http import HttpRequest

# WSGI's environ: a dict that lives as long as a request, however often the server runs it.
NOTES = "gallery.request"


class BodyAwaited(BaseException):
    """The view needs the body, which is still being sent. The server runs the request again when it is there.

    Nothing may have been changed by then.
    """


class BodyTooLarge(BaseException):
    """The view needs the body, which is over the limit of its path."""


class Unreadable:
    """A body that cannot be read. `limit` is the most bytes that it may have, once core.middleware has looked it up."""

    def __init__(self, reason: type[BaseException]) -> None:
        self.reason = reason
        self.limit: int | None = None

    def read(self, size: int = -1) -> NoReturn:
        raise self.reason

    readline = readlines = __iter__ = read


def is_awaited(request: HttpRequest) -> bool:
    """Return whether only the head of the request is there. A view that asks for the body will run again."""
    source = request.META.get("wsgi.input")
    return isinstance(source, Unreadable) and source.reason is BodyAwaited


def body_length(request: HttpRequest) -> int:
    """Return the length of the body in bytes. Raises BodyAwaited while it is in chunks that are still being sent."""
    if is_awaited(request) and "HTTP_TRANSFER_ENCODING" in request.META:
        raise BodyAwaited
    return int(request.META.get("CONTENT_LENGTH") or 0)
