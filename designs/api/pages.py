"""Pages of a list of designs: by number, or by the cursor that the page before carried."""

import hashlib
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.core.signing import BadSignature, Signer
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from core.api.pagination import PAGE_PARAMETERS, PageRequest
from core.errors import Invalid, invalid_field
from designs.catalogue import DesignPage
from designs.fields import Values
from designs.places import Part, Place
from designs.queries import DesignQuery, FavouritesQuery
from designs.search.reading import Reading

# A dot needs no escape in a query string.
signer = Signer(salt="designs.api.pages", sep=".")

AFTER_PARAMETER = OpenApiParameter(
    "after",
    {"type": "string"},
    description="The `next` of a page of the same list, in place of `page`: what follows that page.",
)
DESIGN_PAGE_PARAMETERS = [*PAGE_PARAMETERS, AFTER_PARAMETER]


@dataclass(frozen=True)
class DesignPageRequest:
    """The page of a list that a caller requests."""

    query: DesignQuery | FavouritesQuery
    numbers: PageRequest
    after: Place | None

    @classmethod
    def of(cls, request: Request, query: DesignQuery | FavouritesQuery) -> "DesignPageRequest":
        """Raises Invalid, which names the parameter, for a bad number, and for a cursor of another list."""
        numbers, sent = PageRequest.of(request), request.query_params
        if "after" in sent and "page" in sent:
            raise invalid_field("after", "Send either after or page.")
        return cls(query, numbers, place_of(sent["after"], query) if "after" in sent else None)

    @property
    def part(self) -> Part:
        return Part(self.numbers.per_page, 0 if self.after else self.numbers.offset, self.after)

    def body(self, found: DesignPage) -> Values:
        """The body of the response. By cursor `page` goes on counting, as if every page before had this size."""
        per_page, page = self.numbers.per_page, self.numbers.page
        if self.after is not None:
            page = self.after.rows // per_page + 1
        body = {
            "items": found.items,
            "total": found.total,
            "page": page,
            "per_page": per_page,
            "pages": None if found.total is None else math.ceil(found.total / per_page),
            "next": None if found.end is None else cursor_of(found.end, self.query),
        }
        return body if found.reading is None else {**body, "understood": understood(found.reading)}


def understood(reading: Reading) -> Values:
    """How a search was read, as the API shows it."""
    return {
        "words": [*reading.words],
        "corrected": dict(reading.corrected),
        "ignored": [*reading.ignored],
    }


def cursor_of(place: Place, query: DesignQuery | FavouritesQuery) -> str:
    """The text that stands for a place in the list of a query."""
    return (kept_signature if query.key is query else signed_by)(signer, place, query)


def signed_by(key: Signer, place: Place, query: DesignQuery | FavouritesQuery) -> str:
    return key.sign_object([mark_of(query), place.rows, *place.key])


kept_signature = lru_cache(maxsize=1024)(signed_by)  # a page that is sent again has the same one


def place_of(cursor: str, query: DesignQuery | FavouritesQuery) -> Place:
    """The place that a cursor stands for. Raises Invalid on `after` unless it was made for a list of this query."""
    try:
        mark, rows, *key = signed_values(cursor)
    except (BadSignature, ValueError) as error:
        raise bad_cursor() from error
    if mark != mark_of(query):
        raise bad_cursor()
    return Place(rows, tuple(key))


def signed_values(cursor: str) -> list[Any]:
    values: list[Any] = signer.unsign_object(cursor)
    return values


def bad_cursor() -> Invalid:
    text = (
        "after must be the next of a page with the same filters, search and sort. Begin with the first page."
    )
    return invalid_field("after", text)


def mark_of(query: DesignQuery | FavouritesQuery) -> str:
    """A short text that tells the list of a query from others."""
    return hashlib.blake2b(repr(query).encode("utf-8", "surrogateescape"), digest_size=6).hexdigest()


def signing_key_mark() -> str:
    """A text that changes with the key that signs cursors: a page kept longer than the key has a dead cursor."""
    return mark_of_key(signer)


@lru_cache(maxsize=1)
def mark_of_key(key: Signer) -> str:
    return key.signature("")
