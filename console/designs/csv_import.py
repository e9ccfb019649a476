"""The admin's pages that import a CSV file: each checks the file first, then stores the valid rows."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypedDict

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from accounts.models import User
from console.base import GalleryAdmin, actor_of
from core.errors import Invalid
from core.spreadsheets import Cells
from designs import csv_import, spreadsheets, synonym_csv, synonyms
from designs.csv_import import Result

MAX_BYTES = 2_000_000


@dataclass(frozen=True)
class Importer:
    """What a page imports: its name in the singular and the plural, the command that does the same, and how."""

    singular: str
    plural: str
    command: str
    list_page: str  # the name of its address
    explanation: str
    columns: Sequence[str]
    max_rows: int
    parse: Callable[[bytes], list[Cells]]
    rows: Callable[[User, Sequence[Cells], bool], Iterable[Result]]  # with `dry_run` last

    @property
    def use_command(self) -> str:
        return f"Split it, or use the command {self.command}, which takes any number of rows."


DESIGNS = Importer(
    *("design", "designs", "import_designs", "admin:designs_design_changelist"),
    "A row with the id of a design changes that design; a row without one creates a new design.",
    spreadsheets.COLUMNS,
    200,  # each takes up to three round trips to D1; the command has no limit
    csv_import.parse_csv,
    lambda actor, rows, dry_run: csv_import.import_rows(actor, rows, dry_run=dry_run),
)
SYNONYMS = Importer(
    *("synonym", "synonyms", "import_synonyms", "admin:designs_synonym_changelist"),
    "A row changes the synonym of the same kind and phrase, or adds one. It deletes none.",
    synonyms.FIELDS,
    2000,  # all of them are one transaction
    synonym_csv.parse_csv,
    lambda actor, rows, dry_run: synonym_csv.import_rows(actor, rows, dry_run=dry_run),
)


class Summary(TypedDict):
    """How many rows are valid, and of these create, change or leave what there is; how many have errors."""

    valid: int
    new: int
    changed: int
    unchanged: int
    invalid: int


class ImportForm(forms.Form):
    """A file. `checked` is the digest of the file that the page checked before."""

    file = forms.FileField(label="CSV file", allow_empty_file=True)
    checked = forms.CharField(required=False, widget=forms.HiddenInput)
    importer: Importer
    digest = ""  # of the file, once it is read

    def clean_file(self) -> list[Cells]:
        """The file's rows."""
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(
                f"The file has more than {MAX_BYTES:,} bytes. {self.importer.use_command}"
            )
        data = file.read()
        self.digest = hashlib.sha256(data).hexdigest()
        try:
            rows = self.importer.parse(data)
        except Invalid as error:
            raise forms.ValidationError(error.message) from error
        if len(rows) > self.importer.max_rows:
            text = f"The file has more than {self.importer.max_rows} rows. {self.importer.use_command}"
            raise forms.ValidationError(text)
        return rows

    def clean(self) -> None:
        if "store" in self.data and not self.errors and self.cleaned_data["checked"] != self.digest:
            raise forms.ValidationError("This is not the file that was checked. Please check it first.")


def import_page(model_admin: GalleryAdmin, request: HttpRequest, importer: Importer) -> HttpResponse:
    """Check the posted file, or store a file that was checked before, and show the result of each row."""
    if not (model_admin.has_add_permission(request) and model_admin.has_change_permission(request)):
        raise PermissionDenied
    form = ImportForm(request.POST or None, request.FILES or None)
    form.importer = importer
    is_storing = "store" in request.POST
    title = f"Import {importer.plural}"
    context = model_admin.page_context(request, title=title, form=form, importer=importer, stored=is_storing)
    if form.is_valid():
        results = list(importer.rows(actor_of(request), form.cleaned_data["file"], not is_storing))
        context |= {"results": results, "digest": form.digest, "summary": summary(results)}
    return TemplateResponse(request, "admin/designs/design/import.html", context)


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
