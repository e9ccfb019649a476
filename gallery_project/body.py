"""Refusing a request whose body is still on its way."""

import time
from typing import Self

from django.http import HttpRequest, HttpResponse

LINGER_SECONDS = 30.0
CHUNK = 256 * 1024  # bytes


class LingeringResponse(HttpResponse):
    """An answer that, once sent, reads and drops what the client still sends, for at most 30 s.

    A client that writes its whole body before it reads would otherwise see its connection reset and never the
    answer (as nginx's lingering_close explains: https://nginx.org/en/docs/http/ngx_http_core_module.html).
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
        except OSError:
            pass  # the client has gone, and with it the reason to wait
        super().close()
