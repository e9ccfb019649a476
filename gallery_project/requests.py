"""Requests whose text is UTF-8, whatever charset the media type of their body names.

JSON has no other (RFC 8259, section 8.1). Django would decode the address, too, by any codec of Python, and fail before
any middleware runs where the codec makes no text of it.
"""

from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest


class InUtf8(HttpRequest):
    @property
    def encoding(self) -> None:
        """None: the default, UTF-8."""
        return None

    @encoding.setter
    def encoding(self, charset: str) -> None:
        """Ignore what Django takes from the media type."""


class WsgiRequest(InUtf8, WSGIRequest):
    """A request of gunicorn."""


class AsgiRequest(InUtf8, ASGIRequest):
    """A request of an ASGI server."""
