"""The admin's pages of designs."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import ForeignKey, QuerySet
from django.forms import ModelChoiceField, ModelForm, Script
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from rest_framework.exceptions import ValidationError
from unfold.decorators import action, display

from console.base import ServiceAdmin, actor_of, error_as_json
from console.dashboard.views import export_table
from console.designs import bulk_upload, imports, pictures
from console.designs.filters import CountedFilters, filters_view
from console.designs.forms import DesignForm
from core.errors import GalleryError, NotFound
from core.spreadsheets import download, in_chunks
from designs import search, services
from designs.fields import EDITABLE, FACET_FIELDS, LIVE, SETTABLE_STATUSES, STAFF_ONLY, Status
from designs.models import Design
from designs.selectors import NO_SUCH_DESIGN
from designs.sheets.export import rows_of, write_workbook
from designs.sheets.headers import COLUMNS
from designs.validation import validated_fields
from uploads.models import Category, Image

MAX_SELECTED = 1000  # designs that one action changes: one transaction, which is one call to D1
IN_PLACE_FIELDS = ("title", "status", "featured")  # changed in the list, without the design's page


@admin.register(Design)
class DesignAdmin(ServiceAdmin):
    form = DesignForm
    list_display = [
        "thumbnail",
        "title",
        "category_and_fabric",
        "status_in_place",
        "featured_in_place",
        "likes",
        "views",
        "created",
    ]
    list_display_links = ["thumbnail", "title"]
    list_filter = [CountedFilters]
    list_per_page = 25
    list_select_related = ["image"]
    show_full_result_count = False
    search_fields = ["title"]
    search_help_text = "Search titles, texts and attributes"
    ordering = ["-created_at", "-id"]
    actions = ["publish", "archive", "feature", "unfeature", "restore"]
    actions_list = ["upload", "import_designs", "export_csv", "export_workbook"]
    raw_id_fields = ["image"]
    readonly_fields = ["card", "view_count", "like_count", "created_at", "updated_at"]
    fieldsets = [
        (None, {"fields": ["title", "description", "card", "picture", "image", "image_keys"]}),
        ("Attributes", {"fields": FACET_FIELDS}),
        ("Publication", {"fields": ["status", "featured", *STAFF_ONLY]}),
        ("Counts and dates", {"fields": ["view_count", "like_count", "created_at", "updated_at"]}),
    ]

    class Media:
        js = [Script("console/in_place.js", type="module"), Script("console/card.js", type="module")]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("<int:design_id>/set/", wrap(self.set_view), name="designs_design_set"),
            path("filters/", wrap(self.filters_view), name="designs_design_filters"),
            path("figures/<slug:table>/", wrap(export_table), name="designs_figures"),
            path("upload/file/", wrap(self.upload_file), name="designs_design_upload_file"),
            path("import/part/", wrap(self.import_part), name="designs_design_import_part"),
            path("import/step/", wrap(self.import_step), name="designs_design_import_step"),
            path("import/forget/", wrap(self.import_forget), name="designs_design_import_forget"),
            path(
                "import/template/<slug:kind>/",
                wrap(self.import_template),
                name="designs_design_import_template",
            ),
        ]
        return own + super().get_urls()

    @display(description="")
    def thumbnail(self, design: Design) -> SafeString:
        return pictures.thumbnail_html(design)

    @display(description="Category", ordering="category")
    def category_and_fabric(self, design: Design) -> SafeString:
        return format_html(
            '<span>{}</span> <span class="gallery-hint">{}</span>', design.category, design.fabric
        )

    @display(description="Likes", ordering="like_count")
    def likes(self, design: Design) -> int:
        return design.like_count

    @display(description="Views", ordering="view_count")
    def views(self, design: Design) -> int:
        return design.view_count

    @display(description="Created", ordering="created_at")
    def created(self, design: Design) -> str:
        return date_format(design.created_at, "j M Y")

    @display(description="In the app")
    def card(self, design: Design) -> SafeString | str:
        return pictures.card_html(design) if design.image_id else "–"

    @display(description="Status", ordering="status")
    def status_in_place(self, design: Design) -> str:
        return self.in_place_control("status", design)

    @display(description="Featured", ordering="featured")
    def featured_in_place(self, design: Design) -> str:
        return self.in_place_control("featured", design)

    def in_place_control(self, name: str, design: Design) -> str:
        if design.is_deleted:
            return str(getattr(design, f"get_{name}_display", lambda: "")())
        context = {"design": design, "statuses": SETTABLE_STATUSES}
        return render_to_string(f"admin/designs/design/{name}_in_place.html", context)

    def set_view(self, request: HttpRequest, design_id: int) -> HttpResponse:
        """Change IN_PLACE_FIELDS of a design, validated as the API does it."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_change_permission(request):
            raise PermissionDenied
        design = Design.objects.filter(LIVE, pk=design_id).first()
        if design is None:
            return JsonResponse({"message": "This design has been deleted."}, status=404)
        sent = {name: request.POST[name] for name in IN_PLACE_FIELDS if name in request.POST}
        if not sent:
            return JsonResponse({"message": f"Send one of {', '.join(IN_PLACE_FIELDS)}."}, status=400)
        try:
            services.design_update(actor_of(request), design, validated_fields(sent, partial=True))
        except (GalleryError, ValidationError) as error:
            return error_as_json(error)
        return JsonResponse({name: getattr(design, name) for name in IN_PLACE_FIELDS})

    def filters_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return filters_view(self, request)

    @action(description="Upload images", icon="upload", permissions=["add"])
    def upload(self, request: HttpRequest) -> HttpResponse:
        return bulk_upload.upload_page(self, request)

    def upload_file(self, request: HttpRequest) -> HttpResponse:
        return bulk_upload.upload_file(self, request)

    @action(description="Import", url_path="import", icon="table_view", permissions=["add", "change"])
    def import_designs(self, request: HttpRequest) -> HttpResponse:
        return imports.import_page(self, request)

    def import_part(self, request: HttpRequest) -> HttpResponse:
        return imports.take_part(self, request)

    def import_step(self, request: HttpRequest) -> HttpResponse:
        return imports.take_step(self, request)

    def import_forget(self, request: HttpRequest) -> HttpResponse:
        return imports.forget(self, request)

    def import_template(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        return imports.template(self, request, kind)

    @action(description="Export as CSV", url_path="export", icon="download", permissions=["view"])
    def export_csv(self, request: HttpRequest) -> HttpResponseBase:
        """All designs that the list's filters and search leave, as CSV that an import reads."""
        return download("designs", COLUMNS, rows_of(in_chunks(self.shown_designs(request))))

    @action(description="Export for Excel", url_path="workbook/export", icon="download", permissions=["view"])
    def export_workbook(self, request: HttpRequest) -> HttpResponseBase:
        """The same as a workbook."""
        rows = rows_of(in_chunks(self.shown_designs(request)))
        return imports.workbook_response("designs", lambda out: write_workbook(out, COLUMNS, rows))

    def shown_designs(self, request: HttpRequest) -> QuerySet[Design]:
        """The designs that the list's filters and search leave, on all its pages, with their pictures."""
        shown = self.get_changelist_instance(request).get_queryset(request)
        return shown.prefetch_related("further_images")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Design], search_term: str
    ) -> tuple[QuerySet[Design], bool]:
        return search.matching(queryset, search.words_of(search_term)), False

    def formfield_for_foreignkey(
        self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField | None:
        """The image may be empty, because a picture may be uploaded instead."""
        if db_field.name == "image":
            kwargs |= {"queryset": Image.objects.filter(category=Category.DESIGNS), "required": False}
        field: ModelChoiceField | None = super().formfield_for_foreignkey(db_field, request, **kwargs)
        return field

    def save_model(self, request: HttpRequest, obj: Design, form: ModelForm, change: bool) -> None:
        data = form.cleaned_data
        fields = {name: data[name] for name in (*EDITABLE, *STAFF_ONLY) if name in form.changed_data}
        if "image" in form.changed_data and data["image"]:
            fields["r2_object_key"] = data["image"].object_key
        if "image_keys" in form.changed_data and data["image_keys"]:
            fields["image_keys"] = data["image_keys"]
        actor = actor_of(request)
        with services.picture_stored(actor, data.get("picture")) as image:
            if image:
                fields["r2_object_key"] = image.object_key
            if change:
                # The form has changed `obj` already; the audit trail needs the old values.
                stored = Design.objects.filter(LIVE, pk=obj.pk).first()
                if stored is None:
                    raise NotFound(NO_SUCH_DESIGN)
                stored.further = obj.further  # which the form leaves as they were
                services.design_update(actor, stored, fields)
            else:
                obj.pk = services.design_create(actor, fields).pk
        if image and (near_duplicates := pictures.near_duplicates_of(image)):
            warning = pictures.near_duplicates_warning(near_duplicates)
            self.message_user(request, warning, messages.WARNING)

    def delete_model(self, request: HttpRequest, obj: Design) -> None:
        if obj.is_deleted:
            raise NotFound("This design is in the trash already.")
        services.design_delete(actor_of(request), obj)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Design]) -> None:
        for design in queryset.filter(LIVE):
            services.design_delete(actor_of(request), design)

    @action(description="Restore the selected designs from the trash", permissions=["change"])
    @transaction.atomic
    def restore(self, request: HttpRequest, queryset: QuerySet[Design]) -> None:
        trashed = queryset.filter(status=Status.DELETED)[:MAX_SELECTED]
        count = sum(services.design_restore(actor_of(request), design) for design in trashed)
        self.message_user(request, f"Designs restored: {count}.", messages.SUCCESS)

    @action(description="Publish the selected designs", permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Design]) -> None:
        self.change_all(request, queryset, {"status": Status.PUBLISHED.value})

    @action(description="Archive the selected designs", permissions=["change"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Design]) -> None:
        self.change_all(request, queryset, {"status": Status.ARCHIVED.value})

    @action(description="Feature the selected designs", permissions=["change"])
    def feature(self, request: HttpRequest, queryset: QuerySet[Design]) -> None:
        self.change_all(request, queryset, {"featured": True})

    @action(description="Stop featuring the selected designs", permissions=["change"])
    def unfeature(self, request: HttpRequest, queryset: QuerySet[Design]) -> None:
        self.change_all(request, queryset, {"featured": False})

    def change_all(
        self, request: HttpRequest, queryset: QuerySet[Design], fields: dict[str, str | bool]
    ) -> None:
        """Store the same fields in all selected designs, or in none."""
        designs = list(queryset.filter(LIVE)[: MAX_SELECTED + 1])
        if len(designs) > MAX_SELECTED:
            error = f"Nothing was changed. Select at most {MAX_SELECTED:,} designs at a time."
            self.message_user(request, error, messages.ERROR)
            return
        count = services.design_update_many(actor_of(request), designs, fields)
        self.message_user(request, f"Designs changed: {count}.", messages.SUCCESS)
