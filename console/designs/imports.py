"""The admin's page that imports designs: it keeps the file, checks its rows, then stores the valid ones, in parts."""

import tempfile
from collections.abc import Callable
from functools import wraps
from typing import IO, TypedDict

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse

from console.base import GalleryAdmin, actor_of, error_as_json
from core.errors import GalleryError, Invalid
from core.spreadsheets import download
from designs.sheets import running, uploads
from designs.sheets.export import TEMPLATE, XLSX, write_template
from designs.sheets.headers import label_of
from designs.sheets.running import Phase, ShownRow, State
from designs.sheets.text import ENCODINGS
from designs.sheets.values import DateOrder

PART = 4 * 1024 * 1024  # bytes of a file that one request brings
JsonView = Callable[[GalleryAdmin, HttpRequest], JsonResponse]


class Cell(TypedDict):
    """A cell as the page shows it, below the name of its column, and what is wrong with it."""

    name: str
    text: str
    faults: list[str]


class ShownLine(TypedDict):
    """A row as the page shows it. `faults` has what no cell of the file has, such as a column that is missing."""

    number: int
    outcome: str
    is_invalid: bool
    cells: list[Cell]
    faults: list[tuple[str, str]]  # name of the column, sentence


def check_permission(model_admin: GalleryAdmin, request: HttpRequest) -> None:
    if not (model_admin.has_add_permission(request) and model_admin.has_change_permission(request)):
        raise PermissionDenied


def import_page(model_admin: GalleryAdmin, request: HttpRequest) -> HttpResponse:
    """The page: a form for the files, and how far their import has come."""
    check_permission(model_admin, request)
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    uploads.remove_old()
    folder = uploads.root() / str(actor_of(request).pk)
    state = running.state_of(folder) or State()
    context = model_admin.page_context(
        request,
        title="Import designs",
        state=state,
        lines=[line_of(row, state.names) for row in state.shown],
        phases={phase.name: phase.value for phase in Phase},
        orders=[order for order in DateOrder if order],
        encodings=ENCODINGS.items(),
        columns=[label_of(name) for name in TEMPLATE],
        part=min(PART, settings.MAX_FILE_SIZE),
    )
    return TemplateResponse(request, "admin/designs/design/import_designs.html", context)


def line_of(row: ShownRow, names: list[str]) -> ShownLine:
    faults = [(place, name, sentence) for place, name, sentence in row.faults]
    return {
        "number": row.number,
        "outcome": row.outcome,
        "is_invalid": bool(faults),
        "cells": [
            {
                "name": names[place],
                "text": text,
                "faults": [sentence for at, _, sentence in faults if at == place],
            }
            for place, text in enumerate(row.cells)
        ],
        "faults": [(name, sentence) for place, name, sentence in faults if place < 0],
    }


def for_scripts(view: JsonView) -> Callable[[GalleryAdmin, HttpRequest], HttpResponse]:
    """A POST by the page's script, answered with JSON, also where it is refused."""

    @wraps(view)
    def answer(model_admin: GalleryAdmin, request: HttpRequest) -> HttpResponse:
        check_permission(model_admin, request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            return view(model_admin, request)
        except GalleryError as error:
            return error_as_json(error)

    return answer


@for_scripts
def take_part(model_admin: GalleryAdmin, request: HttpRequest) -> JsonResponse:
    """Keep a part of a file. Raises GalleryError."""
    sent, data = request.POST, request.FILES.get("data")
    try:
        numbers = int(sent.get("offset", "")), int(sent.get("size", ""))
    except ValueError as error:
        raise Invalid("This part of the file does not fit. Choose the file again.") from error
    part = uploads.Part(
        sent.get("file", ""),
        sent.get("name", "")[:255],
        *numbers,
        data=data.read() if isinstance(data, UploadedFile) else b"",
    )
    received = running.add_part(actor_of(request), part)
    state = running.state_of(uploads.root() / str(actor_of(request).pk)) or State()
    return JsonResponse({"received": received, "place": state.place})


@for_scripts
def take_step(model_admin: GalleryAdmin, request: HttpRequest) -> JsonResponse:
    """Do the next part of the import. Raises GalleryError.

    Database errors pass: what was done until then is kept, and the page sends the step again.
    """
    names = ("place", "begin", "order", "encoding")
    state = running.step(actor_of(request), *(request.POST.get(name, "") for name in names))
    return JsonResponse(
        {
            "phase": state.phase,
            "place": state.place,
            "is_running": state.is_running,
            "done": state.done,
            "total": state.total,
        }
    )


@for_scripts
def forget(model_admin: GalleryAdmin, request: HttpRequest) -> JsonResponse:
    """Remove the files."""
    with uploads.locked(actor_of(request).pk) as folder:
        uploads.clear(folder)
    return JsonResponse({})


def template(model_admin: GalleryAdmin, request: HttpRequest, kind: str) -> HttpResponseBase:
    """The template of a table to fill in. Raises Http404 for an unknown kind of file."""
    check_permission(model_admin, request)
    if kind == "csv":
        return download("designs-template", [label_of(name) for name in TEMPLATE], [])
    if kind != "xlsx":
        raise Http404
    return workbook_response("designs-template", write_template)


def workbook_response(name: str, write: Callable[[IO[bytes]], object]) -> FileResponse:
    """A workbook that `write` writes into a file, which is removed after it was sent."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 – the response closes it
    write(file)
    file.seek(0)
    response = FileResponse(file, as_attachment=True, filename=f"{name}.xlsx", content_type=XLSX)
    response["Cache-Control"] = "no-store"
    return response
