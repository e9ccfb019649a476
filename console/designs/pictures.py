"""Pictures of designs in the admin: thumbnail, card as in the app, near-duplicates."""

from collections.abc import Iterable
from typing import TypedDict

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from designs.models import Design, DesignImage
from uploads import selectors
from uploads.models import Image
from uploads.pipeline.placeholders import data_uri
from uploads.storage.base import configured_store

CARD_WIDTH = 480  # pixels of a card's picture on a phone
THUMBNAIL_WIDTH = 64  # pixels


class NearDuplicate(TypedDict):
    """A similar image: the title of the design that shows it, the address of its page, and its thumbnail."""

    title: str
    url: str
    picture: str


def thumbnail_html(design: Design) -> SafeString:
    """The design's smallest picture, on its dominant colour."""
    style = f"background:{design.image.dominant_colour}"
    source = rendition_url(design.image, THUMBNAIL_WIDTH)
    return format_html(
        '<img class="gallery-thumb" src="{}" alt="{}" loading="lazy" style="{}">', source, design.title, style
    )


def card_html(design: Design) -> SafeString:
    """The design as the app shows it, before and after its picture has loaded, and its near-duplicates."""
    context = {
        "design": design,
        "image": design.image,
        "picture": rendition_url(design.image, CARD_WIDTH),
        "original": configured_store().url(design.image_id),
        "placeholder": data_uri(design.image.thumbhash),
        "near_duplicates": near_duplicates_of(design.image),
    }
    return SafeString(render_to_string("admin/designs/design/card.html", context))


def pictures_html(design: Design) -> SafeString:
    """All pictures of the design in their order, with their alternative texts."""
    shown = [(design.image, design.image_alt)]
    further = DesignImage.objects.filter(design=design).select_related("image")
    shown += [(picture.image, picture.alt) for picture in further]
    rows = ((rendition_url(image, THUMBNAIL_WIDTH), alt or design.title, alt) for image, alt in shown)
    items = format_html_join("", '<li><img class="gallery-thumb" src="{}" alt="{}"> {}</li>', rows)
    return format_html('<ol class="gallery-all-pictures">{}</ol>', items)


def rendition_url(image: Image, width: int) -> str:
    """The address of the narrowest rendition of at least `width` pixels, else of the widest, else of the image."""
    renditions = sorted(image.renditions, key=lambda rendition: rendition["width"])
    wide_enough = [rendition["key"] for rendition in renditions if rendition["width"] >= width]
    return configured_store().url(
        next(iter(wide_enough), renditions[-1]["key"] if renditions else image.object_key)
    )


def near_duplicates_of(image: Image) -> list[NearDuplicate]:
    """The images that look like this one, each with a design that shows it, if there is one."""
    similar = selectors.near_duplicates(image)
    designs = designs_by_key(similar)
    return [near_duplicate(other, designs.get(other.object_key)) for other in similar]


def near_duplicate(image: Image, design: Design | None) -> NearDuplicate:
    picture = rendition_url(image, THUMBNAIL_WIDTH)
    if design:
        page = reverse("admin:designs_design_change", args=[design.pk])
        return {"title": design.title, "url": page, "picture": picture}
    page = reverse("admin:uploads_image_change", args=[image.pk])
    return {"title": "an image without a design", "url": page, "picture": picture}


def near_duplicates_warning(near_duplicates: list[NearDuplicate]) -> SafeString:
    """A sentence with a link to each near-duplicate's page."""
    links = format_html_join(", ", '<a class="underline" href="{url}">{title}</a>', near_duplicates)
    return format_html("The picture looks like an existing one: {}.", links)


def designs_by_key(shown: Iterable[Image]) -> dict[str, Design]:
    """For each image's key the oldest design with this cover, else the oldest that shows it; others are missing."""
    keys = [image.object_key for image in shown]
    further = (
        DesignImage.objects.filter(image__object_key__in=keys).select_related("design").order_by("-design_id")
    )
    covers = Design.objects.filter(image__object_key__in=keys).order_by("-id")
    return {picture.image_id: picture.design for picture in further} | {
        design.image_id: design for design in covers
    }
