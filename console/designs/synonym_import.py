"""The admin's page that imports synonyms from a table: it checks the file first, then stores the valid rows."""

import hashlib
from collections.abc import Sequence
from typing import TypedDict

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from console.base import GalleryAdmin, actor_of
from core.errors import Invalid
from designs import synonym_csv, synonyms
from designs.synonym_csv import Numbered, Result

MAX_BYTES = 2_000_000
MAX_ROWS = 2000  # all of them are one transaction
USE_COMMAND = "Split it, or use the command import_synonyms, which takes any number of rows."


class Summary(TypedDict):
    """How many rows are valid, and of these create, change or leave what there is; how many have errors."""

    valid: int
    new: int
    changed: int
    unchanged: int
    invalid: int


class ImportForm(forms.Form):
    """A file. `checked` is the digest of the file that the page checked before."""

    file = forms.FileField(label="Table", allow_empty_file=True)
    checked = forms.CharField(required=False, widget=forms.HiddenInput)
    digest = ""  # of the file, once it is read

    def clean_file(self) -> list[Numbered]:
        """The file's rows."""
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(f"The file has more than {MAX_BYTES:,} bytes. {USE_COMMAND}")
        data = file.read()
        self.digest = hashlib.sha256(data).hexdigest()
        try:
            rows = synonym_csv.parse(data)
        except Invalid as error:
            raise forms.ValidationError(error.message) from error
        if len(rows) > MAX_ROWS:
            raise forms.ValidationError(f"The file has more than {MAX_ROWS:,} rows. {USE_COMMAND}")
        return rows

    def clean(self) -> None:
        if "store" in self.data and not self.errors and self.cleaned_data["checked"] != self.digest:
            raise forms.ValidationError("This is not the file that was checked. Please check it first.")


def import_page(model_admin: GalleryAdmin, request: HttpRequest) -> HttpResponse:
    """Check the posted file, or store a file that was checked before, and show the result of each row."""
    if not (model_admin.has_add_permission(request) and model_admin.has_change_permission(request)):
        raise PermissionDenied
    form = ImportForm(request.POST or None, request.FILES or None)
    is_storing = "store" in request.POST
    context = model_admin.page_context(
        request,
        title="Import synonyms",
        form=form,
        columns=synonyms.FIELDS,
        max_rows=MAX_ROWS,
        stored=is_storing,
    )
    if form.is_valid():
        rows = form.cleaned_data["file"]
        results = list(synonym_csv.import_rows(actor_of(request), rows, dry_run=not is_storing))
        context |= {"results": results, "digest": form.digest, "summary": summary(results)}
    return TemplateResponse(request, "admin/designs/synonym/import.html", context)


def summary(results: Sequence[Result]) -> Summary:
    valid = [result for result in results if not result.faults]
    new = sum(result.is_new for result in valid)
    changed = sum(bool(result.changed) for result in valid if not result.is_new)
    return {
        "valid": len(valid),
        "new": new,
        "changed": changed,
        "unchanged": len(valid) - new - changed,
        "invalid": len(results) - len(valid),
    }
