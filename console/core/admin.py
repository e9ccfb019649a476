"""What every admin page shares, and the page of settings.

Each change is one line of the audit trail; Django's own LogEntry is not written.
"""

import json
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from console.core import audit_pages
from console.core.audit_pages import COLUMNS, table
from console.filters import ActorFilter, DayRangeFilter
from console.lookups import is_declared
from core import app_settings, audit
from core.errors import GalleryError
from core.models import AppSetting, AuditEntry
from core.selectors import entries_about, mentioning
from core.spreadsheets import download

EXPORT = "/export/"  # how the address of a list's export ends
HISTORY_LENGTH = 50  # lines on a page of an object's history

View = Callable[..., HttpResponse]


def refusals_as_messages(view: View) -> View:
    """Show what a service refuses to a POST as a message on the page that the POST came from."""

    @wraps(view)
    def wrapped(self: ModelAdmin, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(self, request, *args, **kwargs)
        except GalleryError as refusal:
            if request.method != "POST":
                raise
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    return wrapped


class GalleryAdmin(ModelAdmin):
    """Base of the admin pages whose models Django saves itself: each save is audited here."""

    show_facets = admin.ShowFacets.NEVER  # a question to the database for each choice of each filter

    class Media:
        css = {"all": ["console/pages.css"]}

    changeform_view = refusals_as_messages(ModelAdmin.changeform_view)
    delete_view = refusals_as_messages(ModelAdmin.delete_view)

    @refusals_as_messages
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; its export is that of what the list shows, so that it goes by the same address."""
        response = super().changelist_view(request, extra_context)
        shown = request.GET.urlencode()
        for one in getattr(response, "context_data", {}).get("actions_list", []) if shown else []:
            if str(one["path"]).endswith(EXPORT):
                one["path"] = f"{one['path']}?{shown}"
        return response

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Only what the page's filters declare, and nothing that goes through a secret field."""
        return is_declared(self, lookup, request) and super().lookup_allowed(lookup, value, request)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Django's; a lookup that is refused reaches the log escaped."""
        try:
            return super().get_changelist_instance(request)
        except DisallowedModelAdminLookup as refusal:
            raise DisallowedModelAdminLookup(ascii(str(refusal))) from None

    def construct_change_message(
        self, request: HttpRequest, form: forms.Form, formsets: Any, add: bool = False
    ) -> Any:
        """{field: (old, new)} in the place of Django's list of names; it comes back to `log_…` below."""
        return {
            name: (None if add else plain(form.initial.get(name)), plain(form.cleaned_data.get(name)))
            for name in form.changed_data
        }

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> None:
        audit.record(actor_of(request), f"{self.opts.model_name}.create", obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> None:
        if message:
            audit.record(actor_of(request), f"{self.opts.model_name}.update", obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> None:
        for obj in queryset:
            audit.record(actor_of(request), f"{self.opts.model_name}.delete", obj)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The object's lines of the audit trail, for whoever may see the object itself."""
        target = self.get_object(request, unquote(object_id))
        if target is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_or_change_permission(request, target):
            raise PermissionDenied
        lines = Paginator(entries_about(self.opts.model_name or "", str(target.pk)), HISTORY_LENGTH)
        page = lines.get_page(request.GET.get("page"))
        context = {
            **self.admin_site.each_context(request),
            "title": f"History: {target}",
            "opts": self.opts,
            "object": target,
            "page": page,
            "lines": [(entry, audit_pages.told(entry, length=400)) for entry in page],
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/core/history.html", context)


class ServiceAdmin(GalleryAdmin):
    """Base of the admin pages that save through services, which write the audit trail themselves."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> None:
        pass

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> None:
        pass

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> None:
        pass


def actor_of(request: HttpRequest) -> Any:
    """The signed-in member of staff."""
    return request.user


def plain(value: Any) -> Any:
    """The value as JSON can hold it."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Model):
        return value.pk
    if isinstance(value, QuerySet | list | tuple):
        return [plain(item) for item in value]
    return str(value)


class SettingsForm(forms.Form):
    """One field for each known setting, of the type of its default."""

    def __init__(self, *args: Any, rows: list[AppSetting], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for row in rows:
            self.fields[row.key] = setting_field(row)


def setting_field(row: AppSetting) -> forms.Field:
    common: dict[str, Any] = {
        "label": row.key.replace("_", " ").capitalize(),
        "help_text": row.description,
        "initial": json.loads(row.value),
        "required": False,
    }
    default = app_settings.KNOWN[row.key].default
    if isinstance(default, bool):
        return forms.BooleanField(widget=UnfoldBooleanSwitchWidget(), **common)
    if isinstance(default, str):
        return forms.CharField(widget=UnfoldAdminTextInputWidget(), **common)
    number = forms.IntegerField if isinstance(default, int) else forms.FloatField
    return number(widget=UnfoldAdminTextInputWidget(), **(common | {"required": True}))


@admin.register(AppSetting)
class AppSettingAdmin(ServiceAdmin):
    """All settings on one page, whether anybody has set them before or not."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @refusals_as_messages
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        form = SettingsForm(request.POST or None, rows=app_settings.all_settings())
        if form.is_valid():
            app_settings.update(
                actor_of(request), {name: form.cleaned_data[name] for name in form.changed_data}
            )
            self.message_user(request, "The settings are saved.", messages.SUCCESS)
            return HttpResponseRedirect(request.path)
        context = {
            **self.admin_site.each_context(request),
            "title": "Settings",
            "opts": self.opts,
            "form": form,
        }
        return TemplateResponse(request, "admin/core/appsetting/settings.html", context)

    def change_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:core_appsetting_changelist"))


@admin.register(AuditEntry)
class AuditEntryAdmin(GalleryAdmin):
    """Who changed what; read, searched and exported, never edited."""

    list_display = ["moment", "actor", "action", "object", "told"]
    list_filter = ["action", "object_type", ("actor_username", ActorFilter), ("created_at", DayRangeFilter)]
    list_per_page = 50
    search_fields = ["actor_username", "object_label", "action", "changes"]
    search_help_text = "Search names, actions and values"
    show_full_result_count = False
    actions_list = ["export"]
    fields = ["created_at", "actor", "action", "object", "object_type", "object_id", "told_whole"]
    readonly_fields = ["actor", "object", "told_whole"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        return mentioning(queryset, search_term), False

    @action(description="Export as CSV", url_path="export", icon="download")
    def export(self, request: HttpRequest) -> HttpResponseBase:
        """The lines that the list shows, on all its pages."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return download("audit", COLUMNS, table(self.get_changelist_instance(request).get_queryset(request)))

    @display(description="When (UTC)", ordering="id")
    def moment(self, entry: AuditEntry) -> str:
        return date_format(entry.created_at, "j M Y, H:i")

    @display(description="Actor", ordering="actor_username")
    def actor(self, entry: AuditEntry) -> str:
        return entry.actor_username or "the system"

    @display(description="Object", ordering="object_label")
    def object(self, entry: AuditEntry) -> str:
        """The object as it was called, leading to its page where it has one."""
        pages = {str(model._meta.model_name): model for model in self.admin_site._registry}
        model = pages.get(entry.object_type)
        if model is None or entry.action.endswith(".delete"):
            return entry.object_label
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        page = reverse(name, args=[quote(entry.object_id)])
        return format_html('<a href="{}" class="gallery-link">{}</a>', page, entry.object_label)

    @display(description="Changes")
    def told(self, entry: AuditEntry) -> SafeString:
        return audit_pages.told(entry)

    @display(description="Changes")
    def told_whole(self, entry: AuditEntry) -> SafeString:
        return audit_pages.told(entry, length=100_000)
