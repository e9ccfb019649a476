"""The pictures of a design in its form: dragged into order, each with its alternative text; more are added there."""

from typing import Any, TypedDict

from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from console.base import GalleryAdmin, actor_of, error_as_json
from console.designs.pictures import NearDuplicate, near_duplicates_of, rendition_url
from core.errors import GalleryError, invalid_field
from designs.fields import ALT_LENGTH, MOST_PICTURES
from designs.pictures import Picture, of_cell
from uploads.keys import ACCEPTED
from uploads.models import Category, Image
from uploads.pipeline.processing import prepare
from uploads.selectors import images
from uploads.services import image_store_prepared

PICTURE_WIDTH = 160  # pixels
CHOICES_SHOWN = 24  # stored images on one page of the chooser


class Row(TypedDict):
    """A picture of the list. `picture` is the address of its thumbnail, empty if no such image is stored."""

    object_key: str
    alt: str
    picture: str


class Added(TypedDict):
    """A new picture as console/static/console/pictures.js shows it."""

    object_key: str
    picture: str
    near_duplicates: list[NearDuplicate]


class PictureListWidget(forms.Textarea):
    """The list, kept in a hidden text of one line for each picture (designs.pictures.as_cell)."""

    template_name = "admin/designs/design/picture_list.html"

    class Media:
        js = [forms.Script("console/pictures.js", type="module")]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        return context | {
            "rows": rows_of(str(value or "")),
            "url": reverse("admin:designs_design_pictures"),
            "accepted": ",".join(ACCEPTED),
            "most": MOST_PICTURES,
            "alt_length": ALT_LENGTH,
            "max_size": settings.MAX_FILE_SIZE,
        }


class PictureListField(forms.CharField):
    """Pictures, one a line (designs.pictures.as_cell). Browsers end the lines of a form with CR LF."""

    widget = PictureListWidget

    def to_python(self, value: str | None) -> str:
        return str(super().to_python(value)).replace("\r\n", "\n")

    def as_shown(self, cell: str) -> SafeString:
        """The pictures themselves, where the form asks which list to keep."""
        shown = (
            (row["picture"], row["alt"] or f"Picture {number}", row["alt"])
            for number, row in enumerate(rows_of(cell), start=1)
        )
        return format_html_join(
            "",
            '<span class="gallery-conflict-picture"><img class="gallery-thumb" src="{}" alt="{}"> {}</span>',
            shown,
        )


def rows_of(cell: str) -> list[Row]:
    """The pictures of such a text, whatever was sent as one; one query."""
    pictures = [Picture.of(sent) for sent in of_cell(cell.replace("\r\n", "\n"))[: 2 * MOST_PICTURES]]
    stored = Image.objects.in_bulk([key for key, _ in pictures], field_name="object_key") if pictures else {}
    return [
        {
            "object_key": key,
            "alt": alt,
            "picture": rendition_url(stored[key], PICTURE_WIDTH) if key in stored else "",
        }
        for key, alt in pictures
    ]


def pictures_view(model_admin: GalleryAdmin, request: HttpRequest) -> HttpResponse:
    """GET: stored images that nothing shows yet, to choose from. POST: store a file as an image of designs.

    Database errors pass, as in bulk_upload.upload_file.
    """
    if not (model_admin.has_add_permission(request) or model_admin.has_change_permission(request)):
        raise PermissionDenied
    if request.method == "POST":
        try:
            return JsonResponse(add_picture(request), status=201)
        except GalleryError as error:
            return error_as_json(error)
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET", "POST"])
    page = Paginator(images(category=Category.DESIGNS, unused=True), CHOICES_SHOWN).get_page(
        request.GET.get("page")
    )
    choices = [{"image": image, "picture": rendition_url(image, PICTURE_WIDTH)} for image in page]
    return TemplateResponse(
        request, "admin/designs/design/picture_choices.html", {"choices": choices, "page": page}
    )


def add_picture(request: HttpRequest) -> Added:
    """Raises GalleryError if the file is not a picture, or cannot be stored now."""
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        raise invalid_field("file", "No file was sent.")
    # One byte more than the limit is enough for prepare() to reject the file.
    prepared = prepare(file.read(settings.MAX_FILE_SIZE + 1))
    image = image_store_prepared(actor_of(request), prepared, Category.DESIGNS)
    return {
        "object_key": image.object_key,
        "picture": rendition_url(image, PICTURE_WIDTH),
        "near_duplicates": near_duplicates_of(image),
    }
