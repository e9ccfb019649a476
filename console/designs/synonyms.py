"""The admin's pages of synonyms: the list, a form that says what is wrong, import and export, a box to try searches."""

from copy import copy
from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.formats import date_format
from django.utils.timezone import localtime
from unfold.decorators import action, display

from console.base import ServiceAdmin, actor_of
from console.designs import synonym_import, try_search
from core.errors import Invalid
from core.spreadsheets import download, in_chunks
from designs import synonym_csv, synonyms
from designs.models import Synonym

WORDS_SHOWN = 120  # characters in the list


class SynonymForm(forms.ModelForm):
    """A synonym. What it may hold is checked by the rules of its service, which say it in words."""

    class Meta:
        model = Synonym
        fields = synonyms.FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.before = copy(self.instance)  # before cleaning changes it

    def clean(self) -> dict[str, Any]:
        """The values as they are kept. Django's own check of what is unique would speak of the database."""
        try:
            row = synonyms.checked({name: self.data.get(name, "") for name in synonyms.FIELDS})
            synonyms.check_free(row, self.instance.pk)
        except Invalid as error:
            for name, sentences in error.fields.items():
                self.errors.pop(name, None)
                self.add_error(name, forms.ValidationError(list(sentences)))
            return self.cleaned_data
        return row._asdict()


@admin.register(Synonym)
class SynonymAdmin(ServiceAdmin):
    form = SynonymForm
    fields = synonyms.FIELDS
    list_display = ["phrase", "kind", "field", "leads_to", "source", "changed"]
    list_filter = ["kind", "field"]
    show_full_result_count = False
    search_fields = ["phrase", "words", "source"]
    search_help_text = "Search phrases, words and sources"
    ordering = ["phrase", "kind"]
    actions_list = ["try_it", "import_csv", "export_csv"]

    @display(description="Words", ordering="words")
    def leads_to(self, synonym: Synonym) -> str:
        words = synonym.words
        return words if len(words) <= WORDS_SHOWN else f"{words[:WORDS_SHOWN].rstrip(', ')} …"

    @display(description="Changed", ordering="updated_at")
    def changed(self, synonym: Synonym) -> str:
        return date_format(localtime(synonym.updated_at), "DATE_FORMAT")

    @action(description="Try a search", url_path="try", icon="manage_search", permissions=["view"])
    def try_it(self, request: HttpRequest) -> HttpResponse:
        return try_search.try_page(self, request)

    @action(description="Import", url_path="import", icon="table_view", permissions=["add", "change"])
    def import_csv(self, request: HttpRequest) -> HttpResponse:
        return synonym_import.import_page(self, request)

    @action(description="Export", url_path="export", icon="download", permissions=["view"])
    def export_csv(self, request: HttpRequest) -> HttpResponseBase:
        """All synonyms that the list's filters and search leave, as CSV that the import takes back."""
        rows = self.get_changelist_instance(request).get_queryset(request)
        return download("synonyms", synonyms.FIELDS, map(synonym_csv.values_of, in_chunks(rows)))

    def save_model(self, request: HttpRequest, obj: Synonym, form: SynonymForm, change: bool) -> None:
        sent, actor = form.cleaned_data, actor_of(request)
        if change:
            # A change since the form compared the values is a conflict, after which the form compares again.
            synonyms.synonym_update(actor, form.before, sent)
        else:
            obj.pk = synonyms.synonym_create(actor, sent).pk

    def delete_model(self, request: HttpRequest, obj: Synonym) -> None:
        synonyms.synonym_delete(actor_of(request), obj)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Synonym]) -> None:
        for synonym in queryset:
            synonyms.synonym_delete(actor_of(request), synonym)
