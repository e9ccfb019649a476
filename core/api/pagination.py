"""Pages by number: `page`, `per_page`, and the five fields of the response."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.conf import settings
from django.db.models import Model, QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from core.errors import invalid_field
from core.json_types import Json, JsonObject
from d1backend import gather

M = TypeVar("M", bound=Model)
LARGEST_OFFSET = 2**62  # rows; a page number may be larger than any integer of a database
WHOLE_NUMBER = re.compile(r"[0-9]{1,40}")

PAGE_PARAMETERS = [
    OpenApiParameter("page", {"type": "integer", "minimum": 1, "default": 1}, description="From 1."),
    OpenApiParameter(
        "per_page",
        {
            "type": "integer",
            "minimum": 1,
            "maximum": settings.MAX_PAGE_SIZE,
            "default": settings.DEFAULT_PAGE_SIZE,
        },
    ),
]


def whole_number(request: Request, name: str, default: int, *, most: int | None = None) -> int:
    """Return the query parameter, a number from 1 to `most`. Raises Invalid, which names it, for anything else."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not WHOLE_NUMBER.fullmatch(text) or int(text) < 1 or (most is not None and int(text) > most):
        limit = f" from 1 to {most}" if most is not None else " of at least 1"
        raise invalid_field(name, f"{name} must be a whole number{limit}.")
    return int(text)


@dataclass(frozen=True)
class PageRequest:
    """The page that a caller requests."""

    page: int
    per_page: int

    @classmethod
    def of(cls, request: Request) -> "PageRequest":
        return cls(
            whole_number(request, "page", 1),
            whole_number(request, "per_page", settings.DEFAULT_PAGE_SIZE, most=settings.MAX_PAGE_SIZE),
        )

    @property
    def offset(self) -> int:
        """The number of rows before the page."""
        return min((self.page - 1) * self.per_page, LARGEST_OFFSET)

    def rows_and_total(self, queryset: QuerySet[M]) -> tuple[Sequence[M], int]:
        """Return the rows of the page and the total, in one round trip. A page past the end is empty."""
        total, rows = gather(queryset.count, queryset[self.offset : self.offset + self.per_page])
        return rows, total

    def body(self, items: Json, total: int) -> JsonObject:
        """Return the body of the response."""
        return {
            "items": items,
            "total": total,
            "page": self.page,
            "per_page": self.per_page,
            "pages": math.ceil(total / self.per_page),
        }
