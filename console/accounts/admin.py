"""The admin's pages of users: the queue, review, changes, their sign-ins."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.contrib import admin, messages
from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from unfold.admin import TabularInline
from unfold.decorators import action, display

from accounts import selectors, services
from accounts.models import SignIn, State, User
from console.accounts.approvals import approvals
from console.accounts.forms import RejectionForm, UserForm
from console.core.admin import ServiceAdmin, actor_of
from core.errors import GalleryError, NotFound


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(State.PENDING, "Waiting"), (State.APPROVED, "Approved"), (State.REJECTED, "Rejected")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        chosen = self.value()
        return selectors.in_state(queryset, State(chosen)) if chosen in State.values else queryset


class SignInInline(TabularInline):
    """The live sign-ins, each with a button that ends it."""

    model = SignIn
    verbose_name_plural = "live sign-ins"
    fields = readonly_fields = ["created_at", "last_used_at", "user_agent", "end"]
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[SignIn]:
        return selectors.live(super().get_queryset(request))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(getattr(request.user, "is_admin", False))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="")
    def end(self, sign_in: SignIn) -> str:
        return render_to_string("admin/accounts/user/end_button.html", {"sign_in": sign_in})


@admin.register(User)
class UserAdmin(ServiceAdmin):
    form = UserForm
    list_display = [
        "username",
        "shown_state",
        "is_admin",
        "created_at",
        "last_login",
        "reviewed_by",
        "decide",
    ]
    list_filter = [StateFilter, "is_admin"]
    list_per_page = 50
    list_select_related = ["reviewed_by"]
    search_fields = ["username"]
    ordering = ["-created_at", "-id"]
    actions = ["approve_selected", "reject_selected"]
    inlines = [SignInInline]
    readonly_fields = [
        "state",
        "rejection_reason",
        "reviewed_at",
        "reviewed_by",
        "created_at",
        "last_login",
    ]
    change_form_outer_before_template = "admin/accounts/user/decide_outer.html"

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        editable = (None, {"fields": ["username", "new_password", "is_admin", "is_editor"]})
        return [editable, ("Review", {"fields": self.readonly_fields})] if obj else [editable]

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        return self.inlines if obj else []

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        return selectors.named(queryset, search_term.strip()), False

    @display(
        description="State",
        ordering="is_approved",
        label={State.PENDING: "warning", State.APPROVED: "success", State.REJECTED: "danger"},
    )
    def shown_state(self, user: User) -> tuple[str, str]:
        return user.state, user.state.label

    @display(description="Decision")
    def decide(self, user: User) -> str:
        return render_to_string("admin/accounts/user/decide.html", {"user": user})

    def save_model(self, request: HttpRequest, obj: User, form: Form, change: bool) -> None:
        sent = form.cleaned_data
        roles = {"is_admin": sent["is_admin"], "is_editor": sent["is_editor"]}
        if change:
            password = sent["new_password"] or None
            name = sent["username"]
            user = services.update(actor_of(request), obj.pk, username=name, password=password, **roles)
            if user.pk == request.user.pk:
                update_session_auth_hash(request, user)
        else:
            user = services.create(actor_of(request), sent["username"], sent["new_password"], **roles)
            obj.pk = user.pk

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        services.delete(actor_of(request), obj.pk)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user_id in list(queryset.values_list("pk", flat=True)):
            services.delete(actor_of(request), user_id)

    @action(description="Approve the selected users", permissions=["change"])
    def approve_selected(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        with transaction.atomic():
            for user_id in list(queryset.values_list("pk", flat=True)):
                services.approve(actor_of(request), user_id)
        self.message_user(request, "The selected users are approved.", messages.SUCCESS)

    @action(description="Reject the selected users…", permissions=["change"])
    def reject_selected(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        form = RejectionForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            return self.reason_page(request, form, list(queryset), action="reject_selected")
        with transaction.atomic():
            for user_id in list(queryset.values_list("pk", flat=True)):
                services.reject(actor_of(request), user_id, form.cleaned_data["reason"])
        self.message_user(request, "The selected users are rejected.", messages.SUCCESS)
        return None

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("approvals/", wrap(self.approvals_view), name="accounts_user_approvals"),
            path("<int:user_id>/approve/", wrap(self.approve_view), name="accounts_user_approve"),
            path("<int:user_id>/reject/", wrap(self.reject_view), name="accounts_user_reject"),
            path("sign-ins/<int:sign_in_id>/end/", wrap(self.end_view), name="accounts_user_end_sign_in"),
        ]
        return own + super().get_urls()

    def approvals_view(self, request: HttpRequest) -> HttpResponse:
        return approvals(self, request)

    def approve_view(self, request: HttpRequest, user_id: int) -> HttpResponse:
        return self.decided(request, lambda: services.approve(actor_of(request), user_id))

    def reject_view(self, request: HttpRequest, user_id: int) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        form = RejectionForm(request.POST or None)
        if not form.is_valid():
            return self.reason_page(request, form, [self.user_or_404(user_id)])
        reason = form.cleaned_data["reason"]
        return self.decided(request, lambda: services.reject(actor_of(request), user_id, reason))

    def end_view(self, request: HttpRequest, sign_in_id: int) -> HttpResponse:
        return self.decided(request, lambda: services.end_sign_in(actor_of(request), sign_in_id))

    def user_or_404(self, user_id: int) -> User:
        try:
            return selectors.user(user_id)
        except NotFound:
            raise Http404 from None

    def decided(self, request: HttpRequest, decide: Callable[[], Any]) -> HttpResponse:
        """Carry the decision out, if it is a POST of one who may, and lead back to where it was taken."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_change_permission(request):
            raise PermissionDenied
        try:
            decide()
        except GalleryError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
        else:
            self.message_user(request, "Done. It holds from now on.", messages.SUCCESS)
        return HttpResponseRedirect(self.way_back(request))

    def way_back(self, request: HttpRequest) -> str:
        """The page of this site that the request came from, or named as the one to go on to."""
        queue = reverse("admin:accounts_user_changelist")
        back = request.POST.get("back") or request.headers.get("Referer", "")
        own = url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure())
        return back if own and urlsplit(back).path.startswith(queue) else queue

    def reason_page(
        self, request: HttpRequest, form: RejectionForm, users: list[User], action: str = ""
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Reject",
            "opts": self.opts,
            "form": form,
            "users": users,
            "action": action,
            "select_across": request.POST.get("select_across", "0"),
            "reasons": selectors.remembered_reasons(),
            "back": self.way_back(request),
        }
        return TemplateResponse(request, "admin/accounts/user/reject.html", context)
