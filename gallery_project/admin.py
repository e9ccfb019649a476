"""What every admin page shares, and the pages of settings and of the audit trail.

Each change is one line of the audit trail; Django's own LogEntry is not written.
"""

import json
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from gallery_project import app_settings, audit
from gallery_project.errors import GalleryError
from gallery_project.models import AppSetting, AuditEntry

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

    changeform_view = refusals_as_messages(ModelAdmin.changeform_view)
    changelist_view = refusals_as_messages(ModelAdmin.changelist_view)
    delete_view = refusals_as_messages(ModelAdmin.delete_view)

    def construct_change_message(
        self, request: HttpRequest, form: forms.Form, formsets: Any, add: bool = False
    ) -> Any:
        """{field: (old, new)} in the place of Django's list of names; it comes back to `log_…` below."""
        return {
            name: (None if add else plain(form.initial.get(name)), plain(form.cleaned_data.get(name)))
            for name in form.changed_data
        }

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        return audit.record(actor_of(request), f"{self.opts.model_name}.create", obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        if message:
            return audit.record(actor_of(request), f"{self.opts.model_name}.update", obj, message)
        return None

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> Any:
        return [audit.record(actor_of(request), f"{self.opts.model_name}.delete", obj) for obj in queryset]

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The object's lines of the audit trail."""
        query = urlencode({"object_type__exact": self.opts.model_name, "object_id__exact": object_id})
        return HttpResponseRedirect(f"{reverse('admin:gallery_project_auditentry_changelist')}?{query}")


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
            self.admin_site.permission_denied(request)
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
        return TemplateResponse(request, "admin/gallery_project/appsetting/settings.html", context)

    def change_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:gallery_project_appsetting_changelist"))


@admin.register(AuditEntry)
class AuditEntryAdmin(GalleryAdmin):
    """Who changed what; read and searched, never edited."""

    list_display = ["created_at", "actor_username", "action", "object_type", "object_label", "told"]
    list_filter = ["action", "object_type"]
    search_fields = ["actor_username", "object_label", "object_id"]
    fields = ["created_at", "actor_username", "action", "object_type", "object_id", "object_label", "told"]
    readonly_fields = ["told"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="Changes")
    def told(self, entry: AuditEntry) -> SafeString:
        rows = ((field, str(old), str(new)) for field, (old, new) in entry.changes.items())
        return format_html_join(SafeString("<br>"), "{}: {} → {}", rows)
