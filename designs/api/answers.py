"""Answers about the catalogue, which a client keeps until the catalogue's stamp is another one."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from core.api.conditional import conditional, etag_of, not_modified, weak
from core.api.pagination import PageRequest
from core.api.permissions import caller
from designs import catalogue
from designs.api.items import page_items
from designs.api.serializers import media_base
from designs.catalogue import Stamp
from designs.queries import Liked, Sort, Wanted


def answer(
    request: Request, make: Callable[[Stamp | None, str], dict[str, Any]], *, by_stamp: bool = True
) -> HttpResponseBase:
    """What `make` makes of the stamp and the caller's media_base, with its ETag, or a 304.

    With `by_stamp` nothing but the stamp, the caller and his question go into the body; then the ETag is made of
    these, and a 304 without the body. Otherwise, and where there is no stamp, it is made of the body.
    """
    stamp, base = catalogue.stamp(), media_base(request)
    if stamp is None or not by_stamp:
        body = make(stamp, base)
        return conditional(request, body, etag_of(lasting(body)))
    etag = etag_by(stamp, request, base)
    return not_modified(request, etag) or conditional(request, make(stamp, base), etag)


def etag_by(stamp: Stamp, request: Request, base: str) -> str:
    """Names the catalogue's content, who asks, and what he asks; a release may say it in other words."""
    user, meta = caller(request), request.META
    who = f"{user.pk} {user.is_admin}" if user else ""
    parts = (
        settings.VERSION,
        stamp.content,
        who,
        media_base(request),
        meta["PATH_INFO"],
        meta["QUERY_STRING"],
    )
    return weak("\n".join(parts).encode("utf-8", "surrogateescape"))


def lasting(body: dict[str, Any]) -> dict[str, Any]:
    """A body without what changes by being looked at: an ETag should survive its own view."""
    if "items" in body:
        return {**body, "items": [lasting(item) for item in body["items"]]}
    return {**body, "view_count": None}


def page_answer(request: Request, query: Wanted | Liked) -> HttpResponseBase:
    """The page of a list that the caller asks for."""
    wanted = PageRequest.of(request)

    def make(stamp: Stamp | None, base: str) -> dict[str, Any]:
        stop = wanted.offset + wanted.per_page
        return wanted.answer(*page_items(caller(request), query, wanted.offset, stop, stamp, base))

    # Views alone change that order, and no stamp tells of views.
    return answer(request, make, by_stamp=query.sort is not Sort.MOST_VIEWED)
