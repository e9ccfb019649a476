"""The admin's box to try a search: how it is read, and what it finds for those who use the app."""

from collections.abc import Iterator
from typing import NamedTuple

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from console.base import GalleryAdmin
from console.designs.pictures import rendition_url
from d1backend import gather
from designs.catalogue import read_search
from designs.fields import Status
from designs.known_synonyms import synonyms_held
from designs.models import Design
from designs.queries import DesignQuery, Sort
from designs.search.reading import Reading, numbers
from designs.search.synonyms import Meaning, phrase_of

TEXT_LENGTH = 500  # characters, as the API takes them
SHOWN = 12  # designs
PICTURE_WIDTH = 160  # pixels


class Tried(NamedTuple):
    """How a search was read, and what it found: `total` designs, of which `designs` are the first."""

    reading: Reading
    synonyms: list[tuple[str, str]]
    total: int
    designs: list[Design]


def try_page(model_admin: GalleryAdmin, request: HttpRequest) -> HttpResponse:
    """The box, and below it what became of the search that the address names."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    text = request.GET.get("text", "").strip()[:TEXT_LENGTH].replace("\0", "")
    tried = try_search(text) if text else None
    cards = (
        [(design, rendition_url(design.image, PICTURE_WIDTH)) for design in tried.designs] if tried else []
    )
    context = model_admin.page_context(
        request, title="Try a search", text=text, tried=tried, cards=cards, text_length=TEXT_LENGTH
    )
    return TemplateResponse(request, "admin/designs/synonym/try.html", context)


def try_search(text: str) -> Tried:
    """Read a search and find the first designs, as a reader of the app does."""
    visible = (Status.PUBLISHED,)
    asked = DesignQuery(text=text, sort=Sort.RELEVANCE, statuses=visible, visible=visible)
    query, reading = read_search(asked)
    designs, total = gather(query.ordered().select_related("image")[:SHOWN], query.unsorted.designs().count)
    return Tried(reading, list(synonyms_used(reading)), total, designs)


def synonyms_used(reading: Reading) -> Iterator[tuple[str, str]]:
    """Each word or phrase of the search that has synonyms, and what they lead to."""
    table = synonyms_held()
    for part in reading.parts:
        for phrase in numbers(phrase_of(" ".join(part.words))):
            if meanings := table.of(phrase):
                yield " ".join(phrase), "; ".join(map(meaning_text, meanings))
            elif table.kept.issuperset(phrase):
                yield " ".join(phrase), "never corrected"


def meaning_text(meaning: Meaning) -> str:
    words = ", ".join(" ".join(phrase) for phrase in meaning.phrases)
    return f"{meaning.field.replace('_', ' ')}: {words}" if meaning.field else words
