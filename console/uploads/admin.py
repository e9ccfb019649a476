"""The admin's pages of images: list, upload, near-duplicates, deletion."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from console.base import ServiceAdmin, actor_of
from console.uploads.forms import UploadForm
from uploads import selectors, services
from uploads.models import Image
from uploads.storage.base import configured_store

THUMBNAIL_WIDTH = 64  # pixels
PICTURE_WIDTH = 320  # pixels


class InUseFilter(admin.SimpleListFilter):
    title = "use"
    parameter_name = "in_use"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("yes", "In use"), ("no", "Unused")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Image]) -> QuerySet[Image]:
        in_use = {"yes": True, "no": False}.get(self.value() or "")
        return queryset if in_use is None else queryset.filter(Q(in_use=in_use))


@admin.register(Image)
class ImageAdmin(ServiceAdmin):
    list_display = [
        "thumbnail",
        "name",
        "category",
        "dimensions",
        "file_size",
        "is_in_use",
        "created_at",
    ]
    list_display_links = ["thumbnail", "name"]
    list_filter = ["category", InUseFilter, "content_type"]
    search_fields = ["object_key"]
    change_form_outer_before_template = "admin/uploads/image/make_design.html"
    fields = readonly_fields = [
        "picture",
        "near_duplicates",
        "object_key",
        "category",
        "content_type",
        "dimensions",
        "file_size",
        "colour",
        "is_in_use",
        "uploaded_by",
        "created_at",
    ]

    actions_submit_line = ()  # a stored image has nothing to save

    def get_queryset(self, request: HttpRequest) -> QuerySet[Image]:
        return selectors.images()

    def get_fields(self, request: HttpRequest, obj: Image | None = None) -> list[str]:
        return self.fields if obj else ["file", "category"]

    def get_readonly_fields(self, request: HttpRequest, obj: Image | None = None) -> list[str]:
        return self.readonly_fields if obj else []

    def get_form(
        self,
        request: HttpRequest,
        obj: Image | None = None,
        change: bool = False,
        **options: Any,
    ) -> type[ModelForm]:
        """The form of an upload; an image that is stored has no field to edit."""
        if obj is None:
            options = {"form": UploadForm, "fields": ["category"]}
        return super().get_form(request, obj, change, **options)

    def has_change_permission(self, request: HttpRequest, obj: Image | None = None) -> bool:
        """Nothing of a stored image can be edited, so its page has no buttons to save."""
        return super().has_change_permission(request, obj) and obj is None

    def has_delete_permission(self, request: HttpRequest, obj: Image | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and in_use(obj))

    def save_model(self, request: HttpRequest, obj: Image, form: UploadForm, change: bool) -> None:
        if change:
            return  # a stored image cannot be edited
        stored = services.image_store_prepared(
            actor_of(request), form.prepared, form.cleaned_data["category"]
        )
        obj.__dict__.update(stored.__dict__)
        if similar := selectors.near_duplicates(stored):
            warning = format_html(
                "It looks like {} existing images: {}"
                if len(similar) > 1
                else "It looks like {} existing image: {}",
                len(similar),
                linked_pictures(similar),
            )
            self.message_user(request, warning, messages.WARNING)

    def delete_model(self, request: HttpRequest, obj: Image) -> None:
        services.image_delete(actor_of(request), obj.object_key)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Image]) -> None:
        for key in list(queryset.values_list("object_key", flat=True)):
            services.image_delete(actor_of(request), key)

    def what_prevents(self, rows: QuerySet[Image]) -> list[str]:
        used = rows.filter(Q(in_use=True)).count()
        if not used:
            return []
        sentence = "In use: {} of {}. An image can be deleted once no design and no person shows it."
        return [sentence.format(used, rows.count())]

    @display(description="")
    def thumbnail(self, image: Image) -> SafeString:
        return picture_html(image, THUMBNAIL_WIDTH)

    @display(description="Name", ordering="object_key")
    def name(self, image: Image) -> str:
        """The end of the key, which the category and the month begin."""
        return image.object_key.rpartition("/")[2]

    @display(description="Picture")
    def picture(self, image: Image) -> SafeString:
        return format_html(
            '<a href="{}">{}</a>',
            configured_store().url(image.object_key),
            picture_html(image, PICTURE_WIDTH),
        )

    @display(description="Looks like")
    def near_duplicates(self, image: Image) -> SafeString | str:
        # unfold's template asks twice, and all images are compared.
        found = vars(image)
        if "_near_duplicates" not in found:
            found["_near_duplicates"] = linked_pictures(selectors.near_duplicates(image))
        return found["_near_duplicates"] or "no other image"

    @display(description="Pixels")
    def dimensions(self, image: Image) -> str:
        return f"{image.width} × {image.height}"

    @display(description="Size", ordering="size")
    def file_size(self, image: Image) -> str:
        return f"{image.size / 1000:,.0f} kB"

    @display(description="Dominant colour")
    def colour(self, image: Image) -> SafeString:
        style = (
            "display:inline-block;width:1em;height:1em;border-radius:50%;vertical-align:-0.1em;background:"
        )
        return format_html(
            '<span style="{}{}"></span> {}', style, image.dominant_colour, image.dominant_colour
        )

    @display(description="In use", boolean=True)
    def is_in_use(self, image: Image) -> bool:
        return in_use(image)


def in_use(image: Image) -> bool:
    """Whether a design or a user shows the image, as selectors.images() has annotated it."""
    return bool(getattr(image, "in_use"))  # noqa: B009


def picture_html(image: Image, width: int) -> SafeString:
    """The image's smallest rendition, `width` pixels wide, on its dominant colour."""
    height = max(1, min(2 * width, round(image.height * width / image.width)))
    key = image.renditions[0]["key"] if image.renditions else image.object_key
    style = f"object-fit:cover;border-radius:6px;background:{image.dominant_colour}"
    return format_html(
        '<img src="{}" width="{}" height="{}" loading="lazy" alt="{}" style="{}">',
        configured_store().url(key),
        width,
        height,
        image.object_key.rpartition("/")[2],
        style,
    )


def linked_pictures(similar: Iterable[Image]) -> SafeString:
    """The images side by side, each a link to its page."""
    rows = (
        (reverse("admin:uploads_image_change", args=[image.pk]), picture_html(image, THUMBNAIL_WIDTH))
        for image in similar
    )
    return format_html_join(" ", '<a href="{}" style="display:inline-block">{}</a>', rows)
