"""The admin's page that shows a new reset code of a user, once."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts import resets, selectors
from console.base import GalleryAdmin, actor_of
from core.errors import Conflict, NotFound


def reset_code_page(model_admin: GalleryAdmin, request: HttpRequest, user_id: int) -> HttpResponse:
    """Make a code for the user and show it. Raises PermissionDenied."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not model_admin.has_change_permission(request):
        raise PermissionDenied
    try:
        made = resets.reset_code_create(actor_of(request), user_id)
    except (Conflict, NotFound) as error:
        model_admin.message_user(request, error.message, messages.ERROR)
        return HttpResponseRedirect(reverse("admin:accounts_user_changelist"))
    user = selectors.user(user_id)
    selectors.load_details([user])  # by which it is handed over
    context = model_admin.page_context(
        request, title="Reset code", user_with_code=user, made=made, media=model_admin.media
    )
    # No cache keeps a page of the admin (AdminSite.admin_view).
    return TemplateResponse(request, "admin/accounts/user/reset_code.html", context)
