"""Responses that a client keeps and asks for again: ETag, If-None-Match, 304."""

import hashlib
import json
from collections.abc import Callable
from typing import Any, TypeVar

import orjson
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from rest_framework.request import Request
from rest_framework.utils.encoders import JSONEncoder

R = TypeVar("R", bound=HttpResponseBase)

PRIVATE = "private, no-cache"  # kept by the caller only, who asks each time whether it still holds
JSON = "application/json"
CONDITIONS = frozenset(
    f"HTTP_IF_{name}" for name in ("MATCH", "NONE_MATCH", "MODIFIED_SINCE", "UNMODIFIED_SINCE")
)


def to_json(body: Any) -> bytes:
    """`body` as JSON; times are written in UTC, ending in Z."""
    try:
        return orjson.dumps(body, option=orjson.OPT_UTC_Z)
    except TypeError:  # a number of more than 64 bits: that of a page, echoed
        return json.dumps(body, cls=JSONEncoder, ensure_ascii=False).encode()


def etag_of(content: Any) -> str:
    """A weak ETag: it names what a body says, not its bytes."""
    return weak_etag(to_json(content))


def weak_etag(name: bytes) -> str:
    return f'W/"{hashlib.blake2b(name, digest_size=12).hexdigest()}"'


def conditional(request: Request, etag: str, make_body: Callable[[], Any]) -> HttpResponseBase:
    """The body with its ETag, or a 304 if If-None-Match names that; `make_body` is not called then."""
    meta = request.META
    if CONDITIONS.isdisjoint(meta):
        return with_headers(HttpResponse(to_json(make_body()), content_type=JSON), etag)
    response: HttpResponseBase | None = None
    # The other conditions, "*" and If-Match, are about whether there is a body at all (RFC 9110, section 13.1).
    if meta.get("HTTP_IF_NONE_MATCH", "*").strip() != "*" and "HTTP_IF_MATCH" not in meta:
        response = get_conditional_response(request._request, etag=etag)
    if response is None:
        whole = with_headers(HttpResponse(to_json(make_body()), content_type=JSON), etag)
        response = get_conditional_response(request._request, etag=etag, response=whole) or whole
    return with_headers(response, etag)


def with_headers(response: R, etag: str) -> R:
    """The response with the headers of one for this caller only."""
    response["ETag"] = etag
    response["Cache-Control"] = PRIVATE
    response["Vary"] = "Authorization"
    return response
