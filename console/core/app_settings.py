"""The admin's page of settings."""

import json
from collections.abc import Iterable, Sequence

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from console.base import Context, ServiceAdmin, actor_of, errors_as_messages
from console.merging import merging
from core import app_settings
from core.models import AppSetting, AuditEntry

# Where the key with spaces is no plain name.
LABELS = {
    "min_app_version": "Oldest version of the app",
    "privacy_url": "Privacy page",
    "terms_url": "Terms of use",
}


class SettingsForm(forms.Form):
    """A form with one field for each known setting, named like it."""

    def __init__(self, data: QueryDict | None, rows: Sequence[AppSetting]) -> None:
        super().__init__(data)
        self.rows = rows
        self.fields |= {row.key: setting_field(row) for row in rows}

    def last_changes(self, names: Iterable[str]) -> dict[str, AuditEntry]:
        """The line of the audit trail that changed each of the settings last."""
        wanted = set(names)
        lines = AuditEntry.objects.filter(object_type="appsetting", object_label__in=wanted).order_by("id")
        return {line.object_label: line for line in lines}


def setting_field(row: AppSetting) -> forms.Field:
    """A form field of the type of the setting's default."""
    label = LABELS.get(row.key, row.key.replace("_", " ").capitalize())
    initial = json.loads(row.value)
    default = app_settings.KNOWN[row.key].default
    if isinstance(default, bool):
        switch = UnfoldBooleanSwitchWidget()
        return forms.BooleanField(
            widget=switch, label=label, help_text=row.description, initial=initial, required=False
        )
    text = UnfoldAdminTextInputWidget()
    if isinstance(default, str):
        return forms.CharField(
            widget=text, label=label, help_text=row.description, initial=initial, required=False
        )
    number = forms.IntegerField if isinstance(default, int) else forms.FloatField
    return number(widget=text, label=label, help_text=row.description, initial=initial)


@admin.register(AppSetting)
class AppSettingAdmin(ServiceAdmin):
    """All settings on one page, including those that nobody has set yet."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AppSetting | None = None) -> bool:
        return False

    @errors_as_messages
    def changelist_view(self, request: HttpRequest, extra_context: Context | None = None) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        form = merging(SettingsForm)(request.POST or None, app_settings.all_settings())
        if form.is_valid():
            changed = {name: form.cleaned_data[name] for name in form.changed_data}
            seen = {name: form.fields[name].initial for name in changed}
            app_settings.settings_update(actor_of(request), changed, seen)
            self.message_user(request, "The settings are saved.", messages.SUCCESS)
            return HttpResponseRedirect(request.path)
        context = self.page_context(request, title="Settings", form=form, media=self.media)
        return TemplateResponse(request, "admin/core/appsetting/settings.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Context | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:core_appsetting_changelist"))
