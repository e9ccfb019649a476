"""What a request costs before any view: two applications for the server that serves the gallery.

gunicorn loads `benchmarks.floors:nothing`, an empty WSGI application, and `benchmarks.floors:empty_view()`, this
project with all its middleware and one view that answers an empty object.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

from benchmarks.load import request

BODY = b"{}"
PATH = "/api/empty"


def nothing(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """An application that answers an empty object to everything."""
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))])
    return [BODY]


def empty_view() -> Callable[..., Any]:
    """The project's application, with the one view of this module in place of its own."""
    application = get_wsgi_application()
    settings.ROOT_URLCONF = __name__
    return application


def empty(request: HttpRequest) -> JsonResponse:
    return JsonResponse({})


urlpatterns = [path(PATH.removeprefix("/"), empty)]


def workloads(host: str) -> dict[str, Callable[[], bytes]]:
    """Return the one request that both are sent."""
    return {"empty": lambda: request(host, "GET", PATH)}
