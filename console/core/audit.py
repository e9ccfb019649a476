"""The admin's page of the audit trail."""

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from unfold.decorators import action, display

from console.base import GalleryAdmin
from console.core.audit_format import COLUMNS, changes_html, export_rows
from console.filters import ActorFilter, DayRangeFilter
from core.models import AuditEntry
from core.selectors import mentioning
from core.spreadsheets import download

LIST_VALUE_LENGTH = 120  # characters of a value in the list
ROWS_SHOWN = 3  # changes of an entry in the list; the others open
WHOLE_VALUE_LENGTH = 100_000  # characters of a value on the entry's own page


@admin.register(AuditEntry)
class AuditEntryAdmin(GalleryAdmin):
    """The audit trail: read, searched, filtered and exported, never edited."""

    list_display = ["moment", "actor", "action", "object", "changes_summary"]
    list_filter = ["action", "object_type", ("actor_username", ActorFilter), ("created_at", DayRangeFilter)]
    list_per_page = 15
    search_fields = ["actor_username", "object_label", "action", "changes"]
    search_help_text = "Search names, actions and values"
    show_full_result_count = False
    actions_list = ["export"]
    fields = ["created_at", "actor", "action", "object", "object_type", "object_id", "changes_whole"]
    readonly_fields = ["actor", "object", "changes_whole"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        return mentioning(queryset, search_term), False

    @action(description="Export as CSV", url_path="export", icon="download")
    def export(self, request: HttpRequest) -> HttpResponseBase:
        """All entries that the list's filters and search leave, as CSV."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        entries = self.get_changelist_instance(request).get_queryset(request)
        return download("audit", COLUMNS, export_rows(entries))

    @display(description="When", ordering="id")
    def moment(self, entry: AuditEntry) -> str:
        return date_format(localtime(entry.created_at), "DATETIME_FORMAT")

    @display(description="Actor", ordering="actor_username")
    def actor(self, entry: AuditEntry) -> str:
        return entry.actor_username or "the system"

    @display(description="Object", ordering="object_label")
    def object(self, entry: AuditEntry) -> str:
        """The object's name at the time of the change, as a link where the object has a page."""
        models = {str(model._meta.model_name): model for model in self.admin_site._registry}
        model = models.get(entry.object_type)
        if model is None or entry.action.endswith((".delete", ".purge")):
            return entry.object_label
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        page = reverse(name, args=[quote(entry.object_id)])
        return format_html('<a href="{}" class="gallery-link">{}</a>', page, entry.object_label)

    @display(description="Changes")
    def changes_summary(self, entry: AuditEntry) -> SafeString:
        return changes_html(entry, LIST_VALUE_LENGTH, shown=ROWS_SHOWN)

    @display(description="Changes")
    def changes_whole(self, entry: AuditEntry) -> SafeString:
        return changes_html(entry, WHOLE_VALUE_LENGTH)
