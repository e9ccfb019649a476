"""Many pictures at once: each file comes in a request of its own and becomes a draft."""

import re
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from rest_framework.exceptions import ValidationError

from console.core.admin import actor_of
from console.designs.card import address, twins_of
from core.errors import GalleryError, TooLarge, Unavailable, invalid_field
from designs import services
from designs.fields import FACET_FIELDS, Status
from designs.models import Design
from designs.validation import TO_COME, faults_of, validated_fields
from uploads.pipeline.processing import prepare

TITLE_LENGTH = 200  # characters
SEPARATORS = re.compile(r"[\s_.\-]+")
FIRST_CATEGORY = "Saree"  # offered where there is no design to learn from
PICTURE_WIDTH = 160  # pixels
STATUS_OF: dict[type[Exception], int] = {TooLarge: 413, Unavailable: 503}


def upload_page(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """The page with the drop zone."""
    if not model_admin.has_add_permission(request):
        raise PermissionDenied
    categories = [row["category"] for row in used_categories()]
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Upload images",
        "opts": model_admin.opts,
        "categories": categories,
        "category": categories[0] if categories else FIRST_CATEGORY,
        "most": settings.MAX_FILE_SIZE,
        "drafts": f"{reverse('admin:designs_design_changelist')}?status={Status.DRAFT.value}",
    }
    return TemplateResponse(request, "admin/designs/design/upload.html", context)


def used_categories() -> Any:
    """The categories there are, the most used one first."""
    return Design.objects.order_by().values("category").annotate(designs=Count("*")).order_by("-designs")[:50]


def take_file(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Make a draft of the one file that was sent, or say in words what is wrong with it."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not model_admin.has_add_permission(request):
        raise PermissionDenied
    try:
        return JsonResponse(as_json(draft_of(request)), status=201)
    except (GalleryError, ValidationError) as error:
        return refusal(error)


def draft_of(request: HttpRequest) -> Design:
    """The draft made of the file. Raises GalleryError or ValidationError."""
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        raise invalid_field("file", "No file was sent.")
    texts = {name: request.POST[name] for name in FACET_FIELDS if name in request.POST}
    title = request.POST.get("title", "").strip() or title_of(file.name or "")
    fields = validated_fields(
        {**texts, "title": title, "status": Status.DRAFT.value, "r2_object_key": TO_COME}, partial=False
    )
    prepared = prepare(file.read(settings.MAX_FILE_SIZE + 1))
    actor = actor_of(request)
    with services.picture_stored(actor, prepared) as image:
        fields["r2_object_key"] = image.object_key if image else ""
        return services.design_create(actor, fields)


def title_of(filename: str) -> str:
    """A title to begin with: the file's name in words, without its ending."""
    stem = "".join(sign if sign.isprintable() else " " for sign in PurePath(filename).stem)
    words = SEPARATORS.sub(" ", stem).strip()[:TITLE_LENGTH].strip()
    return words[:1].upper() + words[1:] if words else "Untitled"


def as_json(design: Design) -> dict[str, Any]:
    return {
        "id": design.pk,
        "title": design.title,
        "url": reverse("admin:designs_design_change", args=[design.pk]),
        "set_url": reverse("admin:designs_design_set", args=[design.pk]),
        "picture": address(design.image, PICTURE_WIDTH),
        "twins": twins_of(design.image),
    }


def refusal(error: GalleryError | ValidationError) -> JsonResponse:
    """What is wrong, in one sentence for each fault."""
    sentences = " ".join(dict.fromkeys(sentence for _, sentence in faults_of(error)))
    return JsonResponse({"message": sentences}, status=STATUS_OF.get(type(error), 400))
