"""The admin's pages of designs."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.forms import Script
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from unfold.decorators import action, display

from console.base import Context, ServiceAdmin, actor_of
from console.dashboard.views import export_table
from console.designs import bulk_upload, imports, in_place, picture_list, pictures, timeline, trash
from console.designs.filters import CountedFilters, filters_view, visible_statuses
from console.designs.forms import DesignForm
from core.errors import Invalid, NotFound
from core.spreadsheets import download, in_chunks
from designs import services
from designs.catalogue import read_search
from designs.fields import EDITABLE, FACET_FIELDS, LIVE, SETTABLE_STATUSES, STAFF_ONLY, Status
from designs.models import Design
from designs.queries import DesignQuery
from designs.search.sql import matching
from designs.sheets.export import rows_of, write_workbook
from designs.sheets.headers import COLUMNS

MAX_SELECTED = 1000  # designs that one action changes: one transaction, which is one call to D1
TOO_MANY = "Select at most {:,} designs at a time."
FIGURES = ("view_count", "like_count", "created_at", "updated_at")
EDITED = ("title", "description", *FACET_FIELDS, "status", "featured")


def pictures_fieldset(*fields: str) -> tuple[str, dict[str, Any]]:
    return "Pictures", {"fields": fields, "classes": ["is-pictures", "is-stacked"]}


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
    list_select_related = ["image"]
    show_full_result_count = False
    search_fields = ["title"]
    search_help_text = "Search titles, texts and attributes"
    ordering = ["-created_at", "-id"]
    actions = ["publish", "archive", "feature", "unfeature", "delete_selected", "restore"]
    row_fields = ("status", "featured")
    actions_list = ["upload", "import_designs", "export_csv", "export_workbook", "show_trash"]
    readonly_fields = ["card", "all_pictures", *FIGURES]
    # In the order of a phone; change_form.html puts the first beside the next two, and the bar at the screen's edge.
    fieldsets = [
        pictures_fieldset("image_keys", "card"),
        (None, {"fields": ["title", "description"], "classes": ["is-text"]}),
        ("Attributes", {"fields": [*FACET_FIELDS, *STAFF_ONLY], "classes": ["is-attributes"]}),
        ("Publication", {"fields": ["status", "featured"], "classes": ["is-bar"]}),
        ("Figures", {"fields": FIGURES, "classes": ["is-figures", "is-stacked"]}),
    ]

    class Media:
        js = [Script("console/in_place.js", type="module"), Script("console/card.js", type="module")]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("<int:design_id>/set/", wrap(self.set_view), name="designs_design_set"),
            path("<int:design_id>/versions/", wrap(self.versions_view), name="designs_design_timeline"),
            path("<int:design_id>/restore/", wrap(self.restore_view), name="designs_design_restore"),
            path("pictures/", wrap(self.pictures_view), name="designs_design_pictures"),
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
        return date_format(localtime(design.created_at), "DATE_FORMAT")

    @display(description="In the app")
    def card(self, design: Design) -> SafeString | str:
        return pictures.card_html(design) if design.image_id else "–"

    @display(description="In their order")
    def all_pictures(self, design: Design) -> SafeString:
        return pictures.pictures_html(design)

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
        return in_place.set_field(self, request, design_id)

    def filters_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return filters_view(self, request)

    @action(description="Upload images", icon="upload", permissions=["add"])
    def upload(self, request: HttpRequest) -> HttpResponse:
        return bulk_upload.upload_page(self, request)

    def upload_file(self, request: HttpRequest) -> HttpResponse:
        return bulk_upload.upload_file(self, request)

    @action(description="Trash", url_path="trash", icon="delete", permissions=["view"])
    def show_trash(self, request: HttpRequest) -> HttpResponse:
        return trash.trash_page(self, request)

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
        if not search_term.strip():
            return queryset, False
        query = DesignQuery(text=search_term.strip(), visible=visible_statuses(request))
        return matching(queryset, read_search(query)[0].words), False

    def get_fieldsets(self, request: HttpRequest, obj: Design | None = None) -> list[Any]:
        """A new design has no card and no figures yet; pictures that cannot be changed are only shown."""
        if obj is None:
            return [pictures_fieldset("image_keys"), *self.fieldsets[1:-1]]
        if not self.is_editable(request, obj):
            return [pictures_fieldset("all_pictures", "card"), *self.fieldsets[1:]]
        return self.fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Design | None = None) -> list[str]:
        """Nothing of the trash is edited."""
        if obj is None or self.is_editable(request, obj):
            return self.readonly_fields
        return [*self.readonly_fields, *EDITED, *STAFF_ONLY]

    def is_editable(self, request: HttpRequest, design: Design) -> bool:
        return self.has_change_permission(request, design) and not design.is_deleted

    def render_change_form(
        self, request: HttpRequest, context: Context, *args: Any, obj: Design | None = None, **options: Any
    ) -> HttpResponse:
        context |= {
            "may_restore": self.has_change_permission(request),
            "may_purge": self.has_delete_permission(request),
        }
        if obj is not None and obj.is_deleted:
            buttons = ("show_save", "show_save_and_continue", "show_save_and_add_another", "show_delete")
            context |= {**dict.fromkeys(buttons, False), "show_close": True}
        return super().render_change_form(request, context, *args, obj=obj, **options)

    def versions_view(self, request: HttpRequest, design_id: int) -> HttpResponse:
        return timeline.timeline_view(self, request, design_id)

    def restore_view(self, request: HttpRequest, design_id: int) -> HttpResponse:
        return timeline.restore_view(self, request, design_id)

    def pictures_view(self, request: HttpRequest) -> HttpResponse:
        return picture_list.pictures_view(self, request)

    def what_goes(self, rows: QuerySet[Design]) -> list[str]:
        """Nothing goes: the trash keeps it."""
        return trash.kept_with(rows.filter(LIVE)).sentences

    def what_prevents(self, rows: QuerySet[Design]) -> list[str]:
        return [TOO_MANY.format(MAX_SELECTED)] if rows.count() > MAX_SELECTED else []

    def save_model(self, request: HttpRequest, obj: Design, form: DesignForm, change: bool) -> None:
        data = form.cleaned_data
        fields = {name: data[name] for name in (*EDITABLE, *STAFF_ONLY) if name in form.changed_data}
        if "image_keys" in form.changed_data and data["image_keys"]:
            fields["image_keys"] = data["image_keys"]
        actor = actor_of(request)
        with services.picture_stored(actor, data.get("picture")) as image:
            if image:
                fields["r2_object_key"] = image.object_key
            if change:
                # The form has changed `obj` already. A newer version than the one that it compared is a conflict.
                if form.before.is_deleted:
                    raise NotFound("This design is in the trash. Take it out before you change it.")
                services.design_update(actor, form.before, fields)
            else:
                obj.pk = services.design_create(actor, fields).pk
        if image and (near_duplicates := pictures.near_duplicates_of(image)):
            warning = pictures.near_duplicates_warning(near_duplicates)
            self.message_user(request, warning, messages.WARNING)

    def delete_model(self, request: HttpRequest, obj: Design) -> None:
        if obj.is_deleted:
            raise NotFound("This design is in the trash already.")
        services.design_delete(actor_of(request), obj)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        """Django's way back to the list, with a message that says where the design is."""
        self.say_in_trash(request, f"“{obj_display}” is")
        response: HttpResponse = self.response_post_save_add(request, None)
        return response

    def say_in_trash(self, request: HttpRequest, what: str) -> None:
        """Say that something ("… is", "… are") is in the trash, and for how long."""
        said = format_html(
            '{} in <a class="underline" href="{}">the trash</a> for {} days.',
            what,
            reverse("admin:designs_design_show_trash"),
            settings.TRASH_DAYS,
        )
        self.message_user(request, said, messages.SUCCESS)

    @action(description="Put the selected designs into the trash", permissions=["delete"])
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[Design]) -> HttpResponse | None:
        """Django's page that asks; its message would say that the designs are deleted."""
        if "post" not in request.POST or self.what_prevents(queryset):
            return delete_selected(self, request, queryset)
        if count := self.delete_queryset(request, queryset):
            self.say_in_trash(request, f"{count:,} design{' is' if count == 1 else 's are'}")
        else:
            self.message_user(request, "What you selected is in the trash already.", messages.WARNING)
        return None

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Design]) -> int:
        """Put all of them into the trash, or none. Returns how many were not there yet."""
        designs = self.bounded(queryset.filter(LIVE))
        for design in designs:
            services.design_delete(actor_of(request), design)
        return len(designs)

    @action(description="Take the selected designs out of the trash", permissions=["change"])
    @transaction.atomic
    def restore(self, request: HttpRequest, queryset: QuerySet[Design]) -> None:
        trashed = self.bounded(queryset.filter(status=Status.DELETED))
        count = sum(services.design_restore(actor_of(request), design) for design in trashed)
        self.message_user(request, f"Designs restored: {count}.", messages.SUCCESS)

    @action(description="Publish the selected designs", permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Design]) -> HttpResponse | None:
        return self.change_all(request, queryset, {"status": Status.PUBLISHED.value})

    @action(description="Archive the selected designs", permissions=["change"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Design]) -> HttpResponse | None:
        return self.change_all(request, queryset, {"status": Status.ARCHIVED.value})

    @action(description="Feature the selected designs", permissions=["change"])
    def feature(self, request: HttpRequest, queryset: QuerySet[Design]) -> HttpResponse | None:
        return self.change_all(request, queryset, {"featured": True})

    @action(description="Stop featuring the selected designs", permissions=["change"])
    def unfeature(self, request: HttpRequest, queryset: QuerySet[Design]) -> HttpResponse | None:
        return self.change_all(request, queryset, {"featured": False})

    def bounded(self, designs: QuerySet[Design]) -> list[Design]:
        """The designs of one action. Raises Invalid if they are more than one transaction takes."""
        found = list(designs[: MAX_SELECTED + 1])
        if len(found) > MAX_SELECTED:
            raise Invalid(f"Nothing was changed. {TOO_MANY.format(MAX_SELECTED)}")
        return found

    def change_all(
        self, request: HttpRequest, queryset: QuerySet[Design], fields: dict[str, str | bool]
    ) -> HttpResponse | None:
        """Store the same fields in all selected designs, or in none; ask first if colleagues changed them."""
        designs = self.bounded(self.not_left_out(request, queryset.filter(LIVE)))
        if question := self.asked_if_stale(request, designs, fields):
            return question
        count = services.design_update_many(actor_of(request), designs, fields)
        self.message_user(request, f"Designs changed: {count}.", messages.SUCCESS)
        return None
