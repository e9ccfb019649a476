"""The query string of a list of designs."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import TypeVar

from django.utils.datastructures import MultiValueDict
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from core.api.permissions import caller
from core.days import moment_of
from core.errors import Invalid, invalid_field
from designs.fields import FACET_FIELDS, Status, Values
from designs.queries import DesignQuery, Sort

SEARCH_LENGTH = 500  # characters
IDS_MOST = 100
LONGEST_KEPT = 500  # characters of a query string; a kept one takes up to twenty times as many bytes
ID_DIGITS = 18  # a longer number is larger than any id
WHOLE_NUMBER = re.compile(r"[0-9]+")
FLAGS = {"true": True, "false": False}
EVERY_WORD = "all"
NO_NUL = r"^[^\u0000]*$"

T = TypeVar("T")


def parameter(name: str, schema: Values, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, schema, description=description)


def array_of(items: Values) -> Values:
    return {"type": "array", "items": items}


def text_of(most: int) -> Values:
    return {"type": "string", "pattern": NO_NUL, "maxLength": most}


MOMENT = {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}
FILTER_PARAMETERS = [
    *(
        parameter(
            name,
            array_of({"type": "string", "pattern": NO_NUL}),
            f"Any of these values, separated by commas or repeated, also as {name}[].",
        )
        for name in FACET_FIELDS
    ),
    parameter("featured", array_of({"type": "boolean"}), "Featured or not."),
    parameter(
        "status", array_of({"type": "string", "enum": list(Status)}), "For admins; ignored for others."
    ),
    parameter("created_after", MOMENT, "Created at that time or later; UTC if no offset is given."),
    parameter("created_before", MOMENT, "Created before that time; UTC if no offset is given."),
    parameter(
        "ids",
        array_of({"type": "integer", "minimum": 0}) | {"maxItems": IDS_MOST},
        "The designs of these ids.",
    ),
    parameter(
        "search",
        text_of(SEARCH_LENGTH),
        "Every word but stop words must match, the last one also as a prefix; where nothing does, words are corrected.",
    ),
    parameter("q", text_of(SEARCH_LENGTH), "The same as search."),
    parameter(
        "match",
        {"type": "string", "enum": [EVERY_WORD]},
        "Every word as typed, stop words too, and nothing else.",
    ),
]
SUGGEST_PARAMETER = parameter(
    "q", text_of(SEARCH_LENGTH), "What was typed so far; the last word may be unfinished."
)
SORT_PARAMETER = parameter(
    "sort",
    {"type": "string", "enum": list(Sort)},
    "The default is newest; with a search, relevance.",
)


def design_query(request: Request) -> DesignQuery:
    """The query of a list's query string. Raises Invalid, naming every parameter with a bad value."""
    user = caller(request)
    sent = tuple((name, tuple(values)) for name, values in request.query_params.lists())
    parse = kept_query if len(request.META["QUERY_STRING"]) <= LONGEST_KEPT else parsed_query
    return parse(sent, sees_all=user is not None and user.is_admin)


def parsed_query(parameters: tuple[tuple[str, tuple[str, ...]], ...], *, sees_all: bool) -> DesignQuery:
    """The query of these parameters, whose statuses count for those who see all designs only."""
    errors: dict[str, list[str]] = {}

    def parse(name: str, parser: Callable[[str], T | None]) -> T | None:
        try:
            return parser(name)
        except Invalid as error:
            errors.update(error.fields)
            return None

    sent = QueryString(MultiValueDict({name: list(values) for name, values in parameters}))
    attributes = {name: parse(name, sent.values) for name in FACET_FIELDS}
    text = parse("search", sent.search)
    query = DesignQuery(
        attributes=tuple((name, values) for name, values in attributes.items() if values),
        featured=parse("featured", sent.flag),
        statuses=(parse("status", sent.statuses) or ()) if sees_all else (),
        created_after=parse("created_after", sent.moment),
        created_before=parse("created_before", sent.moment),
        ids=parse("ids", sent.ids),
        text=text or "",
        every_word=bool(parse("match", sent.match) and text),
        sort=parse("sort", sent.sort) or (Sort.RELEVANCE if text else Sort.NEWEST),
    )
    if errors:
        raise Invalid(next(iter(errors.values()))[0], fields=errors)
    return query


kept_query = lru_cache(maxsize=512)(parsed_query)  # the same few are sent again and again


def words_of(sent: list[str]) -> tuple[str, ...]:
    """Values that were separated by commas, each once."""
    parts = [part.strip() for value in sent for part in value.split(",")] if sent else ()
    return tuple(dict.fromkeys(filter(None, parts)))


class QueryString:
    """Parses parameters by name. An empty value counts as absent."""

    def __init__(self, params: MultiValueDict[str, str]) -> None:
        self.params = params

    def text(self, name: str) -> str:
        value = self.params.get(name, "").strip()
        if "\0" in value:
            raise invalid_field(name, f"{name} must not hold a NUL character.")
        return value

    def sent(self, name: str) -> list[str]:
        """What was sent for a parameter of several values, as `k=` and as `k[]=`."""
        if name not in self.params and f"{name}[]" not in self.params:  # most of them, in most calls
            return []
        sent = [*self.params.getlist(name), *self.params.getlist(f"{name}[]")]
        if any("\0" in value for value in sent):
            raise invalid_field(name, f"{name} must not hold a NUL character.")
        return [value.strip() for value in sent]

    def words(self, name: str) -> tuple[str, ...]:
        """Several values, repeated or separated by commas, none of which contains a comma."""
        return words_of(self.sent(name))

    def values(self, name: str) -> tuple[str, ...]:
        """Several values; what was sent with a comma is also taken whole."""
        sent = self.sent(name)
        whole = [value for value in sent if value.strip(", ")]
        return tuple(dict.fromkeys((*words_of(sent), *whole)))

    def ids(self, name: str) -> tuple[int, ...] | None:
        """Up to IDS_MOST ids. A number that is no id is as good as 0, which no row has."""
        sent = self.words(name)
        if len(sent) > IDS_MOST:
            raise invalid_field(name, f"{name} may hold at most {IDS_MOST} ids.")
        if not all(WHOLE_NUMBER.fullmatch(value) for value in sent):
            raise invalid_field(name, f"{name} must be whole numbers.")
        return tuple(int(value) if len(value) <= ID_DIGITS else 0 for value in sent) or None

    def search(self, name: str) -> str:
        return self.phrase(name if self.params.get(name, "").strip() else "q")

    def phrase(self, name: str) -> str:
        """What somebody typed to be searched."""
        value = self.text(name)
        if len(value) > SEARCH_LENGTH:
            raise invalid_field(name, f"{name} may have at most {SEARCH_LENGTH} characters.")
        return value

    def match(self, name: str) -> str:
        value = self.text(name)
        if value not in ("", EVERY_WORD):
            raise invalid_field(name, f"{name} must be {EVERY_WORD}.")
        return value

    def flag(self, name: str) -> bool | None:
        values = {value.lower() for value in self.words(name)}
        if not values <= FLAGS.keys():
            raise invalid_field(name, f"{name} must be true or false.")
        return FLAGS[values.pop()] if len(values) == 1 else None

    def statuses(self, name: str) -> tuple[str, ...]:
        values = tuple(value.lower() for value in self.words(name))
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
