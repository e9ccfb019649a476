"""The trash of designs: what is in it and until when, taken out again or deleted for good."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from console.base import GalleryAdmin, actor_of, errors_as_messages
from console.designs.pictures import THUMBNAIL_WIDTH, rendition_url
from designs import services
from designs.fields import Status
from designs.models import Design

SHOWN = 25  # designs on one page, and so in one restore or purge
LARGEST_ID = 2**63 - 1


class Kept(NamedTuple):
    """What belongs to designs and goes with them for good."""

    likes: int
    views: int
    versions: int

    @property
    def sentences(self) -> list[str]:
        return [
            f"{count:,} {word}{'' if count == 1 else 's'}"
            for word, count in zip(WORDS, self, strict=True)
            if count
        ]


WORDS = ("like", "view", "version")


def kept_with(designs: QuerySet[Design]) -> Kept:
    """What belongs to the designs, in one query that counts no rows of it."""
    sums = designs.order_by().aggregate(Sum("like_count"), Sum("view_count"), Sum("version"))
    return Kept(sums["like_count__sum"] or 0, sums["view_count__sum"] or 0, sums["version__sum"] or 0)


def kept_until(design: Design) -> datetime | None:
    """When tidy may delete a design of the trash."""
    return design.deleted_at + timedelta(days=settings.TRASH_DAYS) if design.deleted_at else None


def trashed() -> QuerySet[Design]:
    return Design.objects.filter(status=Status.DELETED)


@errors_as_messages
def trash_page(model_admin: GalleryAdmin, request: HttpRequest) -> HttpResponse:
    """GET: the trash. POST: restore or purge the chosen designs; a purge asks first."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    if request.method == "POST":
        return change(model_admin, request)
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET", "POST"])
    designs = trashed().select_related("image").order_by("-deleted_at", "-id")
    page = Paginator(designs, SHOWN).get_page(request.GET.get("page"))
    context = model_admin.page_context(
        request,
        title="Trash",
        page=page,
        rows=[(design, rendition_url(design.image, THUMBNAIL_WIDTH), kept_until(design)) for design in page],
        may_restore=model_admin.has_change_permission(request),
        may_purge=model_admin.has_delete_permission(request),
    )
    return TemplateResponse(request, "admin/designs/design/trash.html", context)


def change(model_admin: GalleryAdmin, request: HttpRequest) -> HttpResponse:
    is_purge = request.POST.get("action") == "purge"
    may = model_admin.has_delete_permission if is_purge else model_admin.has_change_permission
    if not may(request):
        raise PermissionDenied
    designs = trashed().filter(pk__in=chosen(request))
    if is_purge and "confirmed" not in request.POST:
        return question(model_admin, request, designs)
    back = HttpResponseRedirect(reverse("admin:designs_design_show_trash"))
    # Read before the transaction, within which D1 would be asked for each.
    found = list(designs.select_related("image").prefetch_related("further_images"))
    if not found:
        model_admin.message_user(request, "None of the chosen designs is in the trash.", messages.WARNING)
        return back
    actor = actor_of(request)
    with transaction.atomic():
        for design in found:
            if is_purge:
                services.design_purge(actor, design)
            else:
                services.design_restore(actor, design)
    done = "deleted for good" if is_purge else "taken out of the trash"
    count = f"{len(found)} design{' is' if len(found) == 1 else 's are'} {done}."
    model_admin.message_user(request, count, messages.SUCCESS)
    if not is_purge and len(found) == 1:
        back = HttpResponseRedirect(reverse("admin:designs_design_change", args=[found[0].pk]))
    return back


def question(model_admin: GalleryAdmin, request: HttpRequest, designs: QuerySet[Design]) -> HttpResponse:
    """Ask before a purge, and count what it deletes."""
    found = list(designs.order_by("-deleted_at", "-id"))
    if not found:
        model_admin.message_user(request, "Choose designs of the trash first.", messages.WARNING)
        return HttpResponseRedirect(reverse("admin:designs_design_show_trash"))
    context = model_admin.page_context(
        request, title="Delete for good", designs=found, goes=kept_with(designs).sentences
    )
    return TemplateResponse(request, "admin/designs/design/purge.html", context)


def chosen(request: HttpRequest) -> list[int]:
    """The ids that the form sends, at most those of one page."""
    sent = [text for text in request.POST.getlist("design") if text.isascii() and text.isdigit()]
    return [int(text) for text in sent if len(text) < 20 and int(text) <= LARGEST_ID][:SHOWN]
