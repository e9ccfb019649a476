"""The query string of a list of designs."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from core.api.permissions import caller
from core.days import moment_of
from core.errors import Invalid, invalid_field
from designs.models import FACET_FIELDS, Status
from designs.queries import Sort, Wanted
from designs.search import words_of

SEARCH_LENGTH = 500  # characters
FLAGS = {"true": True, "false": False}
NO_NUL = r"^[^\u0000]*$"


def parameter(name: str, schema: dict[str, Any], description: str) -> OpenApiParameter:
    return OpenApiParameter(name, schema, description=description)


def several(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def text(most: int) -> dict[str, Any]:
    return {"type": "string", "pattern": NO_NUL, "maxLength": most}


MOMENT = {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}
FILTER_PARAMETERS = [
    *(
        parameter(
            name, several({"type": "string", "pattern": NO_NUL}), "Any of these, by commas or repeated."
        )
        for name in FACET_FIELDS
    ),
    parameter("featured", several({"type": "boolean"}), "Featured or not."),
    parameter("status", several({"type": "string", "enum": list(Status)}), "For admins; ignored for others."),
    parameter("created_after", MOMENT, "Created then or later; UTC where no offset is named."),
    parameter("created_before", MOMENT, "Created before then; UTC where no offset is named."),
    parameter("search", text(SEARCH_LENGTH), "Every word is found, the last as the beginning of a word."),
    parameter("q", text(SEARCH_LENGTH), "The same as search."),
]
SORT_PARAMETER = parameter(
    "sort",
    {"type": "string", "enum": list(Sort)},
    "The default is newest; with a search, relevance.",
)


def wanted(request: Request) -> Wanted:
    """What a list's query string asks for. Raises Invalid, naming every parameter with a bad value."""
    faults: dict[str, list[str]] = {}

    def read(name: str, parse: Callable[[str], Any]) -> Any:
        try:
            return parse(name)
        except Invalid as error:
            faults.update(error.fields)
            return None

    given = Given(request)
    user = caller(request)
    attributes = {name: read(name, given.values) for name in FACET_FIELDS}
    words = words_of(read("search", given.search) or "")
    found = Wanted(
        attributes=tuple((name, values) for name, values in attributes.items() if values),
        featured=read("featured", given.flag),
        statuses=read("status", given.statuses) if user is not None and user.is_admin else (),
        created_after=read("created_after", given.moment),
        created_before=read("created_before", given.moment),
        words=words,
        sort=read("sort", given.sort) or (Sort.RELEVANCE if words else Sort.NEWEST),
    )
    if faults:
        raise Invalid(next(iter(faults.values()))[0], fields=faults)
    return found


class Given:
    """The parameters of a query string by name. An empty value is as good as none."""

    def __init__(self, request: Request) -> None:
        self.params = request.query_params

    def text(self, name: str) -> str:
        value = self.params.get(name, "").strip()
        if "\0" in value:
            raise invalid_field(name, f"{name} must not hold a NUL character.")
        return value

    def values(self, name: str) -> tuple[str, ...]:
        """Several values, by commas or by repeating."""
        sent = ",".join(self.params.getlist(name))
        if "\0" in sent:
            raise invalid_field(name, f"{name} must not hold a NUL character.")
        return tuple(dict.fromkeys(value for part in sent.split(",") if (value := part.strip())))

    def search(self, name: str) -> str:
        name = name if self.params.get(name, "").strip() else "q"
        value = self.text(name)
        if len(value) > SEARCH_LENGTH:
            raise invalid_field(name, f"{name} may have at most {SEARCH_LENGTH} characters.")
        return value

    def flag(self, name: str) -> bool | None:
        values = {value.lower() for value in self.values(name)}
        if not values <= FLAGS.keys():
            raise invalid_field(name, f"{name} must be true or false.")
        return FLAGS[values.pop()] if len(values) == 1 else None

    def statuses(self, name: str) -> tuple[str, ...]:
        values = tuple(value.lower() for value in self.values(name))
        if not set(values) <= set(Status):
            raise invalid_field(name, f"{name} must be one of {', '.join(Status)}.")
        return values

    def sort(self, name: str) -> Sort | None:
        value = self.text(name)
        if value and value not in set(Sort):
            raise invalid_field(name, f"{name} must be one of {', '.join(Sort)}.")
        return Sort(value) if value else None

    def moment(self, name: str) -> datetime | None:
        value = self.text(name)
        try:
            return moment_of(value) if value else None
        except (ValueError, OverflowError) as error:
            raise invalid_field(name, f"{name} must be an ISO 8601 date or time.") from error
