"""What the admin shows of a design's picture: its thumbnail, its card in the app, and its twins."""

from collections.abc import Iterable
from typing import Any

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from designs.models import Design
from uploads import selectors
from uploads.models import Image
from uploads.pipeline.placeholders import data_uri
from uploads.storage.storages import images

CARD_WIDTH = 480  # pixels of a card's picture on a phone
THUMBNAIL_WIDTH = 64  # pixels


def thumbnail(design: Design) -> SafeString:
    """The picture in its smallest size, on its dominant colour."""
    style = f"background:{design.image.dominant_colour}"
    source = address(design.image, THUMBNAIL_WIDTH)
    return format_html(
        '<img class="gallery-thumb" src="{}" alt="{}" loading="lazy" style="{}">', source, design.title, style
    )


def card(design: Design) -> SafeString:
    """The design as the app paints it, while its picture comes and once it is there, and what looks like it."""
    context = {
        "design": design,
        "image": design.image,
        "picture": address(design.image, CARD_WIDTH),
        "original": images().url(design.image_id),
        "placeholder": data_uri(design.image.thumbhash),
        "twins": twins_of(design.image),
    }
    return SafeString(render_to_string("admin/designs/design/card.html", context))


def address(image: Image, width: int) -> str:
    """The narrowest rendition of at least `width` pixels, or else the widest, or the picture itself."""
    renditions = sorted(image.renditions, key=lambda one: one["width"])
    fitting = [one["key"] for one in renditions if one["width"] >= width]
    return images().url(next(iter(fitting), renditions[-1]["key"] if renditions else image.object_key))


def twins_of(image: Image) -> list[dict[str, Any]]:
    """The images that look like this one, each with the design that shows it, if any does."""
    twins = selectors.near_duplicates(image)
    designs = shown_by(twins)
    found = []
    for twin in twins:
        design = designs.get(twin.object_key)
        page = ("admin:designs_design_change", design) if design else ("admin:uploads_image_change", twin)
        found.append(
            {
                "title": design.title if design else "an image without a design",
                "url": reverse(page[0], args=[page[1].pk]),
                "picture": address(twin, THUMBNAIL_WIDTH),
            }
        )
    return found


def warning(twins: list[dict[str, Any]]) -> SafeString:
    """The twins in a sentence, each leading to its page."""
    links = format_html_join(", ", '<a class="underline" href="{url}">{title}</a>', twins)
    return format_html("The picture looks like what is here already: {}.", links)


def shown_by(shown: Iterable[Image]) -> dict[str, Design]:
    """A design for each key of these images that any shows: the oldest."""
    designs = Design.objects.filter(image__in=[image.object_key for image in shown]).order_by("-id")
    return {design.image_id: design for design in designs}
