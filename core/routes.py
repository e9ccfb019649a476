"""The route of a request, such as /api/designs/{design_id}: what logs and metrics say in place of its path.

A path is what somebody typed. It may hold a name, a code or a ticket, and there are as many as there are designs.
"""

import re
from functools import lru_cache

from django.conf import settings
from django.contrib.admindocs.views import simplify_regex
from django.http import HttpRequest
from django.urls import Resolver404, resolve

UNMATCHED = "unmatched"
# A client may send any word as its method.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
CONVERTER = re.compile(r"<(?:[^:>]+:)?([^>]+)>")
ANYTHING = ".*"  # only in the patterns that take what no other one does, to answer 404


def method_of(method: str | None) -> str:
    """Return the method of a request; `other` for a word that is none."""
    return method if method in METHODS else "other"


def route_of(request: HttpRequest) -> str:
    """Return the route that the request's path matches; `unmatched` if it matches none.

    Also for a request that was answered before Django looked for its view, which costs the search for it.
    """
    match = request.resolver_match
    return template_of(match.route) if match is not None else route_of_path(request.path_info)


def route_of_path(path: str) -> str:
    """Return the route that a path matches; `unmatched` if it matches none."""
    if path.startswith(settings.STATIC_URL):
        return f"{settings.STATIC_URL}{{file}}"  # WhiteNoise answers these
    try:
        return template_of(resolve(path).route)
    except Resolver404:
        return UNMATCHED


@lru_cache(maxsize=512)  # more than there are routes
def template_of(route: str) -> str:
    """Return Django's pattern of a route as text with the names of its parts in braces."""
    if ANYTHING in route:
        return UNMATCHED
    return CONVERTER.sub(r"{\1}", simplify_regex(route))
