"""The admin's box to try a search: how it is read, and what it finds for those who use the app."""

from typing import NamedTuple

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from console.base import GalleryAdmin
from console.designs.pictures import rendition_url
from designs.fields import Status
from designs.known_synonyms import keep_synonyms, stored_rows
from designs.models import Design
from designs.queries import DesignQuery, Sort
from designs.search.sql import words_of
from designs.search.synonyms import Meaning, SynonymTable
from designs.search.tokens import typed_words

TEXT_LENGTH = 500  # characters, as the API takes them
SHOWN = 12  # designs
PICTURE_WIDTH = 160  # pixels


class Tried(NamedTuple):
    """How a search was read, and what it found: `total` designs, of which `designs` are the first."""

    words: list[str]
    corrected: dict[str, str]
    ignored: list[str]
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
    query = DesignQuery(words=words_of(text), sort=Sort.RELEVANCE, statuses=(Status.PUBLISHED,))
    designs = list(query.ordered().select_related("image")[:SHOWN])
    words = [part for word in typed_words(text) for part in word.parts]
    return Tried(
        words, {}, [], synonyms_used(keep_synonyms(stored_rows()), words), query.designs().count(), designs
    )


def synonyms_used(table: SynonymTable, words: list[str]) -> list[tuple[str, str]]:
    """Each phrase of the search that has synonyms, and what they lead to."""
    found = []
    for start in range(len(words)):
        for end in range(start + 1, min(start + table.longest, len(words)) + 1):
            if meanings := table.of(phrase := tuple(words[start:end])):
                found.append((" ".join(phrase), "; ".join(map(meaning_text, meanings))))
    return found


def meaning_text(meaning: Meaning) -> str:
    words = ", ".join(" ".join(phrase) for phrase in meaning.phrases)
    return f"{meaning.field.replace('_', ' ')}: {words}" if meaning.field else words
