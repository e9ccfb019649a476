"""Many pictures at once. The page sends each file in its own request, and each becomes a draft."""

import re
from pathlib import PurePath
from typing import TypedDict

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from rest_framework.exceptions import ValidationError

from console.base import GalleryAdmin, actor_of, error_as_json
from console.designs.pictures import NearDuplicate, near_duplicates_of, rendition_url
from core.errors import GalleryError, invalid_field
from designs import services
from designs.fields import FACET_FIELDS, LIVE, Status
from designs.models import Design
from designs.validation import IMAGE_PENDING, validated_fields
from uploads.pipeline.processing import prepare

TITLE_LENGTH = 200  # characters
SEPARATORS = re.compile(r"[\s_.\-]+")
DEFAULT_CATEGORY = "Saree"  # suggested while there are no designs
CATEGORIES_OFFERED = 50
PICTURE_WIDTH = 160  # pixels


class Draft(TypedDict):
    """A new draft as console/static/console/upload.js shows it."""

    id: int
    title: str
    url: str
    set_url: str
    picture: str
    near_duplicates: list[NearDuplicate]


def upload_page(model_admin: GalleryAdmin, request: HttpRequest) -> HttpResponse:
    """The page with the drop zone."""
    if not model_admin.has_add_permission(request):
        raise PermissionDenied
    categories = used_categories()
    context = model_admin.page_context(
        request,
        title="Upload images",
        categories=categories,
        category=categories[0] if categories else DEFAULT_CATEGORY,
        max_size=settings.MAX_FILE_SIZE,
        drafts=f"{reverse('admin:designs_design_changelist')}?status={Status.DRAFT.value}",
    )
    return TemplateResponse(request, "admin/designs/design/upload.html", context)


def used_categories() -> list[str]:
    """The categories of designs, most used first."""
    designs = (
        Design.objects.filter(LIVE)
        .order_by()
        .values("category")
        .annotate(count=Count("*"))
        .order_by("-count")
    )
    return list(designs.values_list("category", flat=True)[:CATEGORIES_OFFERED])


def upload_file(model_admin: GalleryAdmin, request: HttpRequest) -> HttpResponse:
    """Create a draft from the posted file. Return it as JSON, or a sentence about what is wrong.

    Database errors pass: RepeatLostWrites (core/middleware.py) runs the view again if its write lost against another
    one, and any other becomes the page of handler500 (core/system.py).
    """
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not model_admin.has_add_permission(request):
        raise PermissionDenied
    try:
        return JsonResponse(draft_json(create_draft(request)), status=201)
    except (GalleryError, ValidationError) as error:
        return error_as_json(error)


def create_draft(request: HttpRequest) -> Design:
    """Store the file's picture and its design. Raises GalleryError or ValidationError."""
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        raise invalid_field("file", "No file was sent.")
    texts = {name: request.POST[name] for name in FACET_FIELDS if name in request.POST}
    title = request.POST.get("title", "").strip() or title_from(file.name or "")
    fields = validated_fields(
        {**texts, "title": title, "status": Status.DRAFT.value, "r2_object_key": IMAGE_PENDING}, partial=False
    )
    # One byte more than the limit is enough for prepare() to reject the file.
    prepared = prepare(file.read(settings.MAX_FILE_SIZE + 1))
    with services.picture_stored(actor_of(request), prepared) as image:
        fields["r2_object_key"] = image.object_key if image else ""
        return services.design_create(actor_of(request), fields)


def title_from(filename: str) -> str:
    """A first title: the words of the file's name, without its extension."""
    stem = "".join(char if char.isprintable() else " " for char in PurePath(filename).stem)
    words = SEPARATORS.sub(" ", stem).strip()[:TITLE_LENGTH].strip()
    return words[:1].upper() + words[1:] if words else "Untitled"


def draft_json(design: Design) -> Draft:
    return {
        "id": design.pk,
        "title": design.title,
        "url": reverse("admin:designs_design_change", args=[design.pk]),
        "set_url": reverse("admin:designs_design_set", args=[design.pk]),
        "picture": rendition_url(design.image, PICTURE_WIDTH),
        "near_duplicates": near_duplicates_of(design.image),
    }
