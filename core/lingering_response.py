"""Request bodies: reading a chunked one, rejecting one that is still being sent."""

import tempfile
import time
from typing import Any, BinaryIO, Self

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from gunicorn.http.errors import ParseException

LINGER_SECONDS = 30.0
CHUNK = 256 * 1024  # bytes


class CutShortError(Exception):
    """The client disconnected before it had sent the whole body."""


def read_chunked(request: HttpRequest, limit: int) -> tempfile.SpooledTemporaryFile[bytes] | None:
    """Read a chunked body to its end, and give it to the request as one of known length.

    Without CONTENT_LENGTH Django and its parsers read nothing. Returns a file with the body, which the caller must
    close and which stays in memory up to the limit of JSON; None for a body of more than `limit` bytes, the rest of
    which the request can still read. Raises CutShortError if the body ends too early or breaks the framing.
    """
    source: BinaryIO = request.META["wsgi.input"]
    whole: Any = tempfile.SpooledTemporaryFile(max_size=settings.MAX_JSON_SIZE)  # noqa: SIM115  the caller closes it
    size = 0
    try:
        while size <= limit and (data := received(source, min(CHUNK, limit + 1 - size))):
            size += len(data)
            whole.write(data)
    except (OSError, CutShortError):  # an OSError is that of the disk
        whole.close()
        raise
    if size > limit:
        whole.close()
        request._stream = source
        return None
    whole.seek(0)
    request._stream = whole
    request.META["CONTENT_LENGTH"] = str(size)
    return whole


def received(source: BinaryIO, size: int) -> bytes:
    """Return the next bytes of a body, at most `size`. Raises CutShortError as read_chunked does."""
    try:
        return source.read(size)
    except (OSError, ParseException):
        raise CutShortError from None


class LingeringResponse(HttpResponse):
    """A response that afterwards reads and drops what the client still sends, for at most 30 s.

    A client that writes its whole body before it reads would otherwise see a connection reset instead of the
    response (as nginx's lingering_close explains: https://nginx.org/en/docs/http/ngx_http_core_module.html).
    """

    _request: HttpRequest

    @classmethod
    def of(cls, response: HttpResponse, request: HttpRequest) -> Self:
        lingering = cls(response.content, status=response.status_code, headers=response.headers)
        lingering["Connection"] = "close"
        lingering._request = request
        return lingering

    def close(self) -> None:
        deadline = time.monotonic() + LINGER_SECONDS
        try:
            while time.monotonic() < deadline and self._request.read(CHUNK):
                pass
        except (OSError, ParseException):
            pass  # the client has disconnected
        super().close()
