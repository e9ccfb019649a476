"""The admin's pages of designs."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.decorators import action, display

from designs import search, services
from designs.forms import DesignForm
from designs.models import FACET_FIELDS, Design, Status
from designs.services import EDITABLE
from gallery_project.admin import ServiceAdmin, actor_of
from uploads.storage import images

PREVIEW_WIDTH = 640  # pixels


@admin.register(Design)
class DesignAdmin(ServiceAdmin):
    """Every change goes through the services, which audit it."""

    form = DesignForm
    list_display = [
        "thumbnail",
        "title",
        "category",
        "fabric",
        "status",
        "featured",
        "like_count",
        "view_count",
        "created_at",
    ]
    list_display_links = ["thumbnail", "title"]
    list_editable = ["status", "featured"]
    list_filter = ["status", "featured", *((name, admin.AllValuesFieldListFilter) for name in FACET_FIELDS)]
    list_per_page = 25
    list_select_related = ["image"]
    show_full_result_count = False
    search_fields = ["title"]
    search_help_text = "Full text: every word, the last as the beginning of a word."
    ordering = ["-created_at", "-id"]
    actions = ["publish", "archive", "feature", "unfeature"]
    raw_id_fields = ["image"]
    readonly_fields = ["preview", "view_count", "like_count", "created_at", "updated_at"]
    fieldsets = [
        (None, {"fields": ["title", "description", "preview", "picture", "image"]}),
        ("Attributes", {"fields": FACET_FIELDS}),
        ("Publication", {"fields": ["status", "featured"]}),
        ("Figures", {"fields": ["view_count", "like_count", "created_at", "updated_at"]}),
    ]

    @display(description="")
    def thumbnail(self, design: Design) -> str:
        return picture(design, 0, "height: 3.5rem; border-radius: 4px")

    @display(description="Picture")
    def preview(self, design: Design) -> str:
        if not design.image_id:
            return "–"
        shown = picture(design, PREVIEW_WIDTH, "max-height: 24rem; border-radius: 6px")
        return format_html('<a href="{}">{}</a>', images().url(design.image_id), shown)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Design], search_term: str
    ) -> tuple[QuerySet[Design], bool]:
        return search.matching(queryset, search.words_of(search_term)), False

    def save_model(self, request: HttpRequest, obj: Design, form: ModelForm, change: bool) -> None:
        sent = form.cleaned_data
        fields = {name: sent[name] for name in EDITABLE if name in form.changed_data}
        if "image" in form.changed_data and sent["image"]:
            fields["r2_object_key"] = sent["image"].object_key
        actor = actor_of(request)
        with services.picture_stored(actor, sent.get("picture")) as image:
            if image:
                fields["r2_object_key"] = image.object_key
            if change:
                # The form has written on `obj` already; the trail needs what was there before.
                services.update_design(actor, Design.objects.get(pk=obj.pk), fields)
            else:
                obj.pk = services.create_design(actor, fields).pk

    def delete_model(self, request: HttpRequest, obj: Design) -> None:
        services.delete_design(actor_of(request), obj)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Design]) -> None:
        for design in queryset:
            services.delete_design(actor_of(request), design)

    @action(description="Publish the selected designs", permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Design]) -> None:
        self.change_all(request, queryset, {"status": Status.PUBLISHED.value})

    @action(description="Archive the selected designs", permissions=["change"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Design]) -> None:
        self.change_all(request, queryset, {"status": Status.ARCHIVED.value})

    @action(description="Feature the selected designs", permissions=["change"])
    def feature(self, request: HttpRequest, queryset: QuerySet[Design]) -> None:
        self.change_all(request, queryset, {"featured": True})

    @action(description="Feature the selected designs no longer", permissions=["change"])
    def unfeature(self, request: HttpRequest, queryset: QuerySet[Design]) -> None:
        self.change_all(request, queryset, {"featured": False})

    def change_all(self, request: HttpRequest, queryset: QuerySet[Design], fields: dict[str, Any]) -> None:
        count = services.update_designs(actor_of(request), queryset, fields)
        self.message_user(request, f"Designs changed: {count}.", messages.SUCCESS)


def picture(design: Design, width: int, style: str) -> str:
    """The narrowest rendition of at least `width` pixels, or else the widest, as an element."""
    renditions = sorted(design.image.renditions, key=lambda one: one["width"])
    fitting = [one["key"] for one in renditions if one["width"] >= width]
    key = next(iter(fitting), renditions[-1]["key"] if renditions else design.image_id)
    return format_html(
        '<img src="{}" alt="{}" loading="lazy" style="{}">', images().url(key), design.title, style
    )
