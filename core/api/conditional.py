"""Answers that a client keeps and asks for again: ETag, If-None-Match, 304."""

import hashlib
import json
from typing import Any

import orjson
from django.http import HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.utils.encoders import JSONEncoder

PRIVATE = "private, no-cache"  # kept by the caller alone, who asks each time whether it still holds
JSON = "application/json"


def to_json(body: Any) -> bytes:
    """`body` as JSON; times are written in UTC, ending in Z."""
    try:
        return orjson.dumps(body, option=orjson.OPT_UTC_Z)
    except TypeError:  # a number beyond 64 bits: that of a page, echoed
        return json.dumps(body, cls=JSONEncoder, ensure_ascii=False).encode()


def etag_of(content: Any) -> str:
    """A weak ETag: it names what a body says, not its bytes."""
    return weak(to_json(content))


def weak(name: bytes) -> str:
    return f'W/"{hashlib.blake2b(name, digest_size=12).hexdigest()}"'


def conditional(request: Request, body: Any, etag: str) -> HttpResponseBase:
    """`body` with its ETag, or a 304 without it where If-None-Match names that."""
    response = owned(HttpResponse(to_json(body), content_type=JSON), etag)
    answer = get_conditional_response(request._request, etag=etag, response=response)
    return response if answer is None else answer


def not_modified(request: Request, etag: str) -> HttpResponseBase | None:
    """The 304 where If-None-Match names the ETag of what would be answered, before that is made; None elsewhere."""
    held = request.META.get("HTTP_IF_NONE_MATCH")
    # A reader compares weakly (RFC 9110, section 13.1.2): with W/ or without.
    if held and etag.removeprefix("W/") in [tag.removeprefix("W/") for tag in parse_etags(held)]:
        return owned(HttpResponseNotModified(), etag)
    return None


def owned(response: HttpResponse, etag: str) -> HttpResponse:
    """The headers of an answer to this caller alone."""
    response["ETag"] = etag
    response["Cache-Control"] = PRIVATE
    response["Vary"] = "Authorization"
    return response
