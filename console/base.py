"""The base classes of every admin page, and what their views share."""

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import quote, unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from rest_framework.exceptions import ValidationError
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from accounts.models import User
from console import stale_rows
from console.core.audit_format import changes_html
from console.lookups import is_offered
from console.merging import merging, typed_work
from console.next_in_list import next_in_list
from core import audit
from core.errors import GalleryError, TooLarge, Unavailable
from core.selectors import entries_about
from designs.validation import faults_of

EXPORT_PATH = "/export/"  # how the address of a list's export ends
FOLLOWING = "console.following"  # in the request's META: the key of the object that follows in the list
HISTORY_LENGTH = 10  # audit entries on one page of an object's history
HISTORY_VALUE_LENGTH = 160  # characters
HISTORY_ROWS = 3  # changes of an entry at once
STATUS_OF: dict[type[Exception], int] = {TooLarge: 413, Unavailable: 503}  # any other is a 400

Context = dict[str, Any]  # what a template is rendered with
P = ParamSpec("P")
AdminView = Callable[Concatenate["GalleryAdmin", HttpRequest, P], HttpResponse]


def errors_as_messages(view: AdminView[P]) -> AdminView[P]:
    """Show a GalleryError that a POST raises as a message on the page that the POST came from.

    If the POST carries work of its reader, that is shown too, because the page would come back without it.
    """

    @wraps(view)
    def wrapped(
        self: "GalleryAdmin", request: HttpRequest, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponse:
        try:
            return view(self, request, *args, **kwargs)
        except GalleryError as error:
            if request.method != "POST":
                raise
            if work := typed_work(request.POST):
                return self.unsaved_page(request, error.message, work, request.get_full_path())
            self.message_user(request, error.message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    return wrapped


class GalleryAdmin(ModelAdmin):
    """Base of every admin page: filters, errors and history as the gallery wants them.

    Django itself saves the model, and each save writes an audit entry; Django's LogEntry is not used.
    """

    show_facets = admin.ShowFacets.NEVER  # they cost one query for each choice of each filter
    actions_submit_line: Sequence[str] = ("save_and_next",)
    # What actions change: each row of the list carries what it showed of these fields.
    row_fields: tuple[str, ...] = ()
    list_per_page = 25  # which a phone shows on a page of less than 5,000 pixels
    list_max_show_all = 0

    class Media:
        css = {"all": ["console/pages.css"]}
        js = [forms.Script("console/forms.js", type="module")]

    delete_view = errors_as_messages(ModelAdmin.delete_view)

    @errors_as_messages
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Context | None = None,
    ) -> HttpResponse:
        """Django's page of one object. The one that follows in its list is found before a change moves this one."""
        if object_id is not None and self.is_save_and_next(request):
            following = self.following(request, object_id)
            request.META[FOLLOWING] = following and following.pk
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        """Django's way to the dashboard; who sends work on an object that is gone gets it back."""
        if request.method == "POST" and (work := typed_work(request.POST)):
            rows = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
            return self.unsaved_page(request, f"This {opts.verbose_name} has been deleted.", work, rows)
        response: HttpResponse = super()._get_obj_does_not_exist_redirect(request, opts, object_id)
        return response

    def unsaved_page(
        self, request: HttpRequest, sentence: str, work: list[tuple[str, str]], back: str
    ) -> HttpResponse:
        """Say why nothing is saved, with what the reader typed, to copy it."""
        context = self.page_context(
            request, title="Not saved", media=self.media, sentence=sentence, work=work, back=back
        )
        return TemplateResponse(request, "admin/core/unsaved.html", context, status=409)

    @action(description="Save and next", permissions=["change"])
    def save_and_next(self, request: HttpRequest, obj: Model) -> None:
        """A button beside Save. It saves as Save does, and response_post_save_change() goes on."""

    def is_save_and_next(self, request: HttpRequest) -> bool:
        return f"{self.opts.app_label}_{self.opts.model_name}_save_and_next" in request.POST

    def following(self, request: HttpRequest, object_id: str) -> Model | None:
        """The object after this one in the list that its reader came from, with its filters, search and order."""
        as_list = copy(request)
        as_list.GET = QueryDict(request.GET.get("_changelist_filters", ""))
        row = self.get_object(request, unquote(object_id))
        try:
            return row and next_in_list(self.get_changelist_instance(as_list).queryset, row)
        except IncorrectLookupParameters:
            return None

    def response_post_save_change(self, request: HttpRequest, obj: Model) -> HttpResponse:
        """Django's way back to the list, or on to the next object of it."""
        response: HttpResponse = super().response_post_save_change(request, obj)
        if not self.is_save_and_next(request):
            return response
        following = request.META.get(FOLLOWING)
        if following is None:
            self.message_user(request, "That was the last of the list.", messages.INFO)
            return response
        page = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[quote(following)])
        filters = self.get_preserved_filters(request)
        return HttpResponseRedirect(f"{page}?{filters}" if filters else page)

    @errors_as_messages
    def changelist_view(self, request: HttpRequest, extra_context: Context | None = None) -> HttpResponse:
        """Django's list. The link to its export keeps the list's filters and search."""
        named = {"title": capfirst(self.opts.verbose_name_plural)}  # as the sidebar does
        response = super().changelist_view(request, named | (extra_context or {}))
        query = request.GET.urlencode()
        if query:
            for link in getattr(response, "context_data", {}).get("actions_list", []):
                if str(link["path"]).endswith(EXPORT_PATH):
                    link["path"] = f"{link['path']}?{query}"
        return response

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm]:
        """Django's form. One that changes an object stores only the fields that its reader changed."""
        form: type[forms.ModelForm] = super().get_form(request, obj, change, **kwargs)
        return merging(form) if obj is not None else form

    @display(description=ModelAdmin.action_checkbox.short_description)
    def action_checkbox(self, obj: Model) -> str:
        box: str = super().action_checkbox(obj)
        return (
            format_html("{}{}", box, stale_rows.shown_field(obj, self.row_fields)) if self.row_fields else box
        )

    def not_left_out(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """The rows of an action without those that its reader left out when asked_if_stale() asked."""
        left_out = stale_rows.left_out(request.POST)
        return queryset.exclude(pk__in=left_out) if left_out else queryset

    def asked_if_stale(
        self, request: HttpRequest, rows: Iterable[Model], wanted: stale_rows.Values
    ) -> HttpResponse | None:
        """A page that asks, if an action would overwrite what colleagues did since the list was opened; else None."""
        stale = stale_rows.stale_among(rows, stale_rows.shown_rows(request.POST), wanted)
        if not stale:
            return None
        name = request.POST.get("action", "")
        context = self.page_context(
            request,
            title=str(dict(self.get_action_choices(request)).get(name, name)),
            media=self.media,
            action=name.removesuffix("_selected").replace("_", " ").capitalize(),
            stale=stale_rows.described(stale, wanted),
            fields=stale_rows.sent_again(request.POST, stale, self.row_fields),
            leave_out=stale_rows.LEAVE_OUT,
            keys=",".join(str(row.pk) for row in stale),
            back=request.get_full_path(),
        )
        return TemplateResponse(request, "admin/core/stale_rows.html", context)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow only lookups that the page's filters offer, and none on a secret field."""
        return is_offered(self, lookup, request) and super().lookup_allowed(lookup, value, request)

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Django's. The text of a disallowed lookup is escaped, because it goes to the log."""
        try:
            return super().get_changelist_instance(request)
        except DisallowedModelAdminLookup as error:
            raise DisallowedModelAdminLookup(ascii(str(error))) from None

    def construct_change_message(
        self, request: HttpRequest, form: forms.Form, formsets: Iterable[forms.BaseFormSet], add: bool = False
    ) -> audit.Changes:
        """{field: (old, new)} instead of Django's list of names; Django passes it on to `log_…` below."""
        return {
            name: (
                None if add else json_value(form.initial.get(name)),
                json_value(form.cleaned_data.get(name)),
            )
            for name in form.changed_data
        }

    def log_addition(self, request: HttpRequest, obj: Model, message: audit.Changes) -> None:
        audit.record(actor_of(request), f"{self.opts.model_name}.create", obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: audit.Changes) -> None:
        if message:
            audit.record(actor_of(request), f"{self.opts.model_name}.update", obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> None:
        for obj in queryset:
            audit.record(actor_of(request), f"{self.opts.model_name}.delete", obj)

    def what_goes(self, rows: QuerySet[Any]) -> list[str]:
        """What a deletion takes along, counted: "42 likes". The page before a deletion says it."""
        return []

    def what_prevents(self, rows: QuerySet[Any]) -> list[str]:
        """Sentences about why these cannot be deleted; none if they can."""
        return []

    def get_deleted_objects(
        self, objs: QuerySet[Any] | list[Model], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Django's summary of a deletion without reading and listing each row that goes."""
        rows: QuerySet[Any]
        if isinstance(objs, QuerySet):
            rows = objs
        else:
            rows = self.get_queryset(request).filter(pk__in=[obj.pk for obj in objs])
        lacking = set() if self.has_delete_permission(request) else {str(self.opts.verbose_name_plural)}
        return self.what_goes(rows), {}, lacking, self.what_prevents(rows)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Context | None = None
    ) -> HttpResponse:
        """The object's audit entries. Everyone who may see the object may see them."""
        target = self.get_object(request, unquote(object_id))
        if target is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_or_change_permission(request, target):
            raise PermissionDenied
        entries = Paginator(entries_about(self.opts.model_name or "", str(target.pk)), HISTORY_LENGTH)
        page = entries.get_page(request.GET.get("page"))
        context = self.page_context(
            request,
            title=f"History: {target}",
            object=target,
            page=page,
            entries=[(entry, changes_html(entry, HISTORY_VALUE_LENGTH, HISTORY_ROWS)) for entry in page],
        )
        return TemplateResponse(request, "admin/core/history.html", context | (extra_context or {}))

    def page_context(self, request: HttpRequest, **values: Any) -> Context:
        """The context of a custom page: the site's, the model's options, and `values`."""
        return {**self.admin_site.each_context(request), "opts": self.opts, **values}


class ServiceAdmin(GalleryAdmin):
    """Base of the pages that save through services. The services write the audit entries."""

    def log_addition(self, request: HttpRequest, obj: Model, message: audit.Changes) -> None:
        pass

    def log_change(self, request: HttpRequest, obj: Model, message: audit.Changes) -> None:
        pass

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> None:
        pass


def actor_of(request: HttpRequest) -> User:
    """The signed-in member of staff."""
    assert isinstance(request.user, User)
    return request.user


def error_as_json(error: GalleryError | ValidationError) -> JsonResponse:
    """The response to a page's script: what is wrong, one sentence for each fault."""
    sentences = " ".join(dict.fromkeys(sentence for _, sentence in faults_of(error)))
    return JsonResponse({"message": sentences}, status=STATUS_OF.get(type(error), 400))


def json_value(value: Any) -> Any:
    """The value in a form that JSON can hold."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Model):
        return value.pk
    if isinstance(value, QuerySet | list | tuple):
        return [json_value(item) for item in value]
    return str(value)
