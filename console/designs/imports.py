"""The admin's page that takes designs from a CSV file: checked first, stored then, by the code of import_designs."""

import hashlib
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from core.errors import Invalid
from designs import csv_import
from designs.csv_import import Result
from designs.spreadsheets import COLUMNS

MOST_ROWS = 200  # each costs D1 up to three round trips; the command takes any number
MOST_BYTES = 2_000_000
BY_COMMAND = "Split it, or use the command import_designs, which takes any number of rows."


class ImportForm(forms.Form):
    """A file; `checked` is the digest of the file that the page has shown the check of."""

    file = forms.FileField(label="CSV file", allow_empty_file=True)
    checked = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_file(self) -> list[csv_import.Row]:
        """The rows of the file; `digest` is known from now on."""
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(f"The file has more than {MOST_BYTES:,} bytes. {BY_COMMAND}")
        data = file.read()
        self.digest = hashlib.sha256(data).hexdigest()
        try:
            rows = csv_import.parse_csv(data)
        except Invalid as error:
            raise forms.ValidationError(error.message) from error
        if len(rows) > MOST_ROWS:
            raise forms.ValidationError(f"The file has more than {MOST_ROWS} rows. {BY_COMMAND}")
        return rows

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if "store" in self.data and not self.errors and cleaned["checked"] != self.digest:
            raise forms.ValidationError("This is not the file that was checked. Please check it first.")
        return cleaned


def import_page(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Check the file that was sent, or store it once it was checked, and say what became of each row."""
    if not (model_admin.has_add_permission(request) and model_admin.has_change_permission(request)):
        raise PermissionDenied
    form = ImportForm(request.POST or None, request.FILES or None)
    storing = "store" in request.POST
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Import designs",
        "opts": model_admin.opts,
        "form": form,
        "columns": COLUMNS,
        "most": MOST_ROWS,
        "stored": storing,
    }
    if form.is_valid():
        rows = form.cleaned_data["file"]
        results = list(csv_import.import_rows(request.user, rows, dry_run=not storing))  # type: ignore[arg-type]
        context |= {"results": results, "digest": form.digest, **summary(results)}
    return TemplateResponse(request, "admin/designs/design/import.html", context)


def summary(results: list[Result]) -> dict[str, int]:
    """How many rows make a design, change one, change nothing, and have errors."""
    right = [result for result in results if not result.faults]
    new = sum(result.is_new for result in right)
    changing = sum(bool(result.changed) for result in right if not result.is_new)
    return {
        "right": len(right),
        "new": new,
        "changing": changing,
        "same": len(right) - new - changing,
        "wrong": len(results) - len(right),
    }
