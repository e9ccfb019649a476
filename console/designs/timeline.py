"""The versions of a design on its page: what changed, by whom and when, and the way back to each."""

from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString

from console.base import GalleryAdmin, actor_of
from console.core.audit_format import changes_html
from core import replica
from core.errors import Conflict, GalleryError, NotFound
from core.models import AuditEntry
from d1backend import SerializationFailure
from designs import history, services
from designs.models import Design
from designs.selectors import NO_SUCH_DESIGN

SHOWN = 10  # versions at a time
VALUE_LENGTH = 160  # characters
ROWS_SHOWN = 3  # changes of a version at once
DONE = {
    "design.create": "created it",
    "design.update": "changed it",
    "design.delete": "put it into the trash",
    "design.restore": "restored it",
}
CHANGED_MEANWHILE = (
    "Nothing was changed, because somebody changed the design meanwhile. Look at its versions again."
)


@dataclass(frozen=True)
class Line:
    """A version as the page shows it."""

    entry: AuditEntry
    done: str
    changes: SafeString | str


def timeline_view(model_admin: GalleryAdmin, request: HttpRequest, design_id: int) -> HttpResponse:
    """A part of the page, which loads it later: the audit trail is in no copy, and D1 may be away."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    before = request.GET.get("after", "")
    start = min(int(before), 10**6) if before.isascii() and before.isdigit() and len(before) < 9 else 0
    try:
        entries, total = history.design_versions(design_id, start, start + SHOWN)
    except NotFound:
        raise Http404 from None
    context = {
        "design_id": design_id,
        "lines": [line_of(entry) for entry in entries],
        "total": total,
        "after": start + SHOWN if start + len(entries) < total and len(entries) == SHOWN else None,
        "may_restore": model_admin.has_change_permission(request),
    }
    return TemplateResponse(request, "admin/designs/design/timeline.html", context)


def line_of(entry: AuditEntry) -> Line:
    changes = changes_html(entry, VALUE_LENGTH, ROWS_SHOWN) if entry.changes else ""
    return Line(entry, DONE.get(entry.action, "created it"), changes)


def restore_view(model_admin: GalleryAdmin, request: HttpRequest, design_id: int) -> HttpResponse:
    """Take the design out of the trash, or back to the posted `version` if it still is as `seen`."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not model_admin.has_change_permission(request):
        raise PermissionDenied
    version, seen = (number(request.POST.get(name, "")) for name in ("version", "seen"))
    page = HttpResponseRedirect(reverse("admin:designs_design_change", args=[design_id]))
    try:
        is_changed = restore(request, design_id, version, seen)
    except GalleryError as error:
        model_admin.message_user(request, error.message, messages.ERROR)
        return page
    if not is_changed:
        sentence = "The design is like that already."
    elif version is None:
        sentence = "The design is out of the trash."
    else:
        sentence = f"The design is as it was in version {version}. The version before this is kept, too."
    model_admin.message_user(request, sentence, messages.SUCCESS if is_changed else messages.INFO)
    return page


def restore(request: HttpRequest, design_id: int, version: int | None, seen: int | None) -> bool:
    design = Design.objects.filter(pk=design_id).first()
    if design is None:
        raise NotFound(NO_SUCH_DESIGN)
    if seen is not None and seen != design.version:
        if replica.may_be_old() and seen > design.version:
            raise SerializationFailure("The copy may lack the version. Run it again on D1.")
        raise Conflict(CHANGED_MEANWHILE)
    return services.design_restore(actor_of(request), design, version)


def number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
