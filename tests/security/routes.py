"""Every route of the URL configuration, with its methods."""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, get_resolver
from rest_framework.views import APIView

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def routes(patterns: Any = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each route and its view."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route, pattern.callback
        else:
            yield from routes(pattern.url_patterns, route)


def api_calls() -> set[str]:
    """Return the calls of the API, each as `METHOD route`."""
    return {
        f"{method} {route}"
        for route, view in routes()
        if issubclass(getattr(view, "cls", object), APIView)
        for method in METHODS
        if hasattr(view.cls, method.lower())
    }


def pages() -> set[str]:
    """Return the other routes: the system calls, the console, the objects of the folder storage."""
    return {route for route, view in routes() if not issubclass(getattr(view, "cls", object), APIView)}
