"""The admin's pages of images: thumbnails, uploads through the service, and a warning of twins."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from console.core.admin import ServiceAdmin, actor_of
from console.uploads.forms import UploadForm
from uploads import selectors, services
from uploads.models import Image
from uploads.storage.storages import images


class InUseFilter(admin.SimpleListFilter):
    title = "use"
    parameter_name = "in_use"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "In use"), ("no", "Unused")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = {"yes": True, "no": False}.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(in_use=chosen)


@admin.register(Image)
class ImageAdmin(ServiceAdmin):
    list_display = [
        "thumbnail",
        "object_key",
        "category",
        "dimensions",
        "weight",
        "shown_in_use",
        "created_at",
    ]
    list_display_links = ["thumbnail", "object_key"]
    list_filter = ["category", InUseFilter, "content_type"]
    search_fields = ["object_key"]
    fields = readonly_fields = [
        "picture",
        "twins",
        "object_key",
        "category",
        "content_type",
        "dimensions",
        "weight",
        "shown_colour",
        "shown_in_use",
        "uploaded_by",
        "created_at",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Image]:
        return selectors.images()

    def get_fields(self, request: HttpRequest, obj: Image | None = None) -> Any:
        return self.fields if obj else ["file", "category"]

    def get_readonly_fields(self, request: HttpRequest, obj: Image | None = None) -> Any:
        return self.readonly_fields if obj else []

    def get_form(
        self, request: HttpRequest, obj: Image | None = None, change: bool = False, **kw: Any
    ) -> Any:
        if obj is None:
            kw |= {"form": UploadForm, "fields": ["category"]}
        return super().get_form(request, obj, change, **kw)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.in_use)

    def save_model(self, request: HttpRequest, obj: Image, form: UploadForm, change: bool) -> None:
        if change:
            return  # nothing of a stored image is edited
        stored = services.store(actor_of(request), form.prepared, form.cleaned_data["category"])
        obj.__dict__.update(stored.__dict__)
        if twins := selectors.near_duplicates(stored):
            warning = format_html("It looks like {} here already: {}", len(twins), gallery_of(twins))
            self.message_user(request, warning, messages.WARNING)

    def delete_model(self, request: HttpRequest, obj: Image) -> None:
        services.delete_image(actor_of(request), obj.object_key)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Image]) -> None:
        for key in list(queryset.values_list("object_key", flat=True)):
            services.delete_image(actor_of(request), key)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Django's own page of what a deletion takes along; images that somebody shows stop it."""
        to_delete, count, permissions, protected = super().get_deleted_objects(objs, request)
        shown = [str(image) for image in objs if image.in_use]
        return to_delete, count, permissions, [*protected, *shown]

    @display(description="")
    def thumbnail(self, image: Image) -> SafeString:
        return picture(image, 64)

    @display(description="Picture")
    def picture(self, image: Image) -> SafeString:
        return format_html('<a href="{}">{}</a>', images().url(image.object_key), picture(image, 320))

    @display(description="Looks like")
    def twins(self, image: Image) -> SafeString | str:
        return gallery_of(selectors.near_duplicates(image)) or "no other image"

    @display(description="Pixels")
    def dimensions(self, image: Image) -> str:
        return f"{image.width} × {image.height}"

    @display(description="Size", ordering="size")
    def weight(self, image: Image) -> str:
        return f"{image.size / 1000:,.0f} kB"

    @display(description="Dominant colour")
    def shown_colour(self, image: Image) -> SafeString:
        style = (
            "display:inline-block;width:1em;height:1em;border-radius:50%;vertical-align:-0.1em;background:"
        )
        return format_html(
            '<span style="{}{}"></span> {}', style, image.dominant_colour, image.dominant_colour
        )

    @display(description="In use", boolean=True)
    def shown_in_use(self, image: Any) -> bool:
        return bool(image.in_use)


def picture(image: Image, width: int) -> SafeString:
    """The image, in its smallest size that serves, shown `width` pixels wide on its dominant colour."""
    height = max(1, min(2 * width, round(image.height * width / image.width)))
    key = image.renditions[0]["key"] if image.renditions else image.object_key
    style = f"object-fit:cover;border-radius:6px;background:{image.dominant_colour}"
    return format_html(
        '<img src="{}" width="{}" height="{}" loading="lazy" alt="{}" style="{}">',
        images().url(key),
        width,
        height,
        image.object_key,
        style,
    )


def gallery_of(twins: list[Image]) -> SafeString:
    """The images side by side, each leading to its page."""
    rows = ((reverse("admin:uploads_image_change", args=[twin.pk]), picture(twin, 64)) for twin in twins)
    return format_html_join(" ", '<a href="{}" style="display:inline-block">{}</a>', rows)
