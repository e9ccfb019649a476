"""The admin's pages of users: list, decisions, changes, live sign-ins."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.forms import Form, ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from unfold.admin import TabularInline
from unfold.decorators import action, display

from accounts import selectors, services
from accounts.decisions import Basis, DecidedMeanwhile
from accounts.models import SignIn, State, User
from console import stale_rows
from console.accounts.approvals import approvals_page
from console.accounts.forms import NewUserForm, RejectionForm, UserForm
from console.accounts.reset_codes import reset_code_page
from console.base import ServiceAdmin, actor_of
from console.sessions import sign_in_id_of
from core.errors import GalleryError, NotFound
from d1backend import gather
from designs.models import Favourite

CHANGEABLE = ("username", "full_name", "contact", "is_admin", "is_editor")


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [(State.PENDING, "Waiting"), (State.APPROVED, "Approved"), (State.REJECTED, "Rejected")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        state = self.value()
        return selectors.in_state(queryset, State(state)) if state in State.values else queryset


class RoleFilter(admin.SimpleListFilter):
    title = "role"
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [
            ("staff", "Staff"),
            ("admin", "Admins"),
            ("editor", "Editors"),
            ("none", "People who only use the app"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        roles = {
            "staff": selectors.IS_EDITOR | Q(is_admin=True),
            "admin": Q(is_admin=True),
            "editor": selectors.IS_EDITOR,
            "none": ~selectors.IS_EDITOR & Q(is_admin=False),
        }
        wanted = roles.get(self.value() or "")
        return queryset if wanted is None else queryset.filter(wanted)


class SignInInline(TabularInline):
    """The live sign-ins, each with a button that ends it."""

    model = SignIn
    verbose_name_plural = "live sign-ins"
    fields = readonly_fields = ["kind", "created_at", "last_used_at", "user_agent", "end"]
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[SignIn]:
        return selectors.live_only(super().get_queryset(request))

    def has_view_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return bool(getattr(request.user, "is_admin", False))

    def has_add_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    @display(description="")
    def end(self, sign_in: SignIn) -> str:
        return render_to_string("admin/accounts/user/end_button.html", {"sign_in": sign_in})


@admin.register(User)
class UserAdmin(ServiceAdmin):
    list_display = [
        "username",
        "details",
        "state_label",
        "role",
        "registered",
        "reviewer",
        "decision_buttons",
    ]
    list_filter = [StateFilter, RoleFilter]
    row_fields = ("state",)
    list_select_related = ["reviewed_by"]
    search_fields = ["username", "full_name", "contact"]
    ordering = ["-created_at", "-id"]
    actions = ["approve_selected", "reject_selected"]
    inlines = [SignInInline]
    readonly_fields = [
        "state",
        "rejection_reason",
        "reviewed_at",
        "reviewer",
        "created_at",
        "last_login",
    ]
    fieldsets = [
        (None, {"fields": ["username", "full_name", "contact", "new_password", "is_admin", "is_editor"]}),
        ("Review", {"fields": readonly_fields}),
    ]
    add_fieldsets = fieldsets[:1]
    change_form_outer_before_template = "admin/accounts/user/decide_outer.html"

    def get_fieldsets(
        self, request: HttpRequest, obj: User | None = None
    ) -> list[tuple[str | None, dict[str, list[str]]]]:
        return self.fieldsets if obj else self.add_fieldsets

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list[type[TabularInline]]:
        return self.inlines if obj else []

    def get_form(
        self,
        request: HttpRequest,
        obj: User | None = None,
        change: bool = False,
        **options: Any,
    ) -> type[ModelForm]:
        return super().get_form(request, obj, change, form=UserForm if obj else NewUserForm, **options)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        return selectors.containing(queryset, search_term.strip()), False

    @display(description="Name and contact", ordering="full_name")
    def details(self, user: User) -> SafeString:
        lines = [(line,) for line in (user.full_name, user.contact) if line]
        return format_html_join("", '<span class="gallery-line">{}</span>', lines or [("–",)])

    @display(description="Registered", ordering="created_at")
    def registered(self, user: User) -> SafeString:
        days = [(date_format(localtime(user.created_at), "DATE_FORMAT"),)]
        if user.last_login:
            days.append((f"seen {date_format(localtime(user.last_login), 'DATE_FORMAT')}",))
        return format_html_join("", '<span class="gallery-line">{}</span>', days)

    @display(
        description="State",
        ordering="is_approved",
        label={State.PENDING: "warning", State.APPROVED: "success", State.REJECTED: "danger"},
    )
    def state_label(self, user: User) -> tuple[str, str]:
        return user.state, user.state.label

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Users, each with whether they are an editor, which would be a query for each row."""
        return super().get_queryset(request).annotate(known_as_editor=selectors.IS_EDITOR)

    @display(description="Role", label={"Admin": "primary", "Editor": "info"})
    def role(self, user: User) -> str:
        return "Admin" if user.is_admin else "Editor" if user.is_editor else ""

    @display(description="Reviewed by", ordering="reviewed_by")
    def reviewer(self, user: User) -> str | None:
        return user.reviewer_username

    @display(description="Decision")
    def decision_buttons(self, user: User) -> str:
        return render_to_string("admin/accounts/user/decide.html", {"user": user})

    def save_model(self, request: HttpRequest, obj: User, form: Form, change: bool) -> None:
        data = form.cleaned_data
        if change:
            given = {name: data[name] for name in CHANGEABLE if name in form.changed_data}
            services.user_update(
                actor_of(request),
                obj.pk,
                password=data["new_password"] or None,
                keep_session=sign_in_id_of(request),
                seen={name: form.get_initial_for_field(form.fields[name], name) for name in given},
                **given,
            )
        else:
            password, given = data["new_password"], {name: data[name] for name in CHANGEABLE}
            user = services.user_create(actor_of(request), password=password, **given)
            obj.pk = user.pk

    def what_goes(self, rows: QuerySet[User]) -> list[str]:
        users = rows.order_by().values("pk")
        likes, sign_ins = gather(
            Favourite.objects.filter(user__in=users).count, SignIn.objects.filter(user__in=users).count
        )
        counts = ((likes, "like"), (sign_ins, "sign-in"))
        return [f"{count:,} {word}{'' if count == 1 else 's'}" for count, word in counts if count]

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        services.user_delete(actor_of(request), obj.pk)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user_id in list(queryset.values_list("pk", flat=True)):
            services.user_delete(actor_of(request), user_id)

    @action(description="Approve the selected people", permissions=["change"])
    def approve_selected(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        users = list(self.not_left_out(request, queryset))
        if question := self.asked_if_stale(request, users, {"state": State.APPROVED}):
            return question
        with transaction.atomic():
            for user in users:
                services.user_approve(actor_of(request), user.pk, basis=Basis(state=user.state))
        self.message_user(request, f"People approved: {len(users)}.", messages.SUCCESS)
        return None

    @action(description="Reject the selected people…", permissions=["change"])
    def reject_selected(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        users = list(self.not_left_out(request, queryset))
        form = RejectionForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            return self.reason_page(request, form, users, action="reject_selected")
        if question := self.asked_if_stale(request, users, {"state": State.REJECTED}):
            return question
        reason = form.cleaned_data["reason"]
        with transaction.atomic():
            for user in users:
                services.user_reject(actor_of(request), user.pk, reason, basis=Basis(state=user.state))
        self.message_user(request, f"People rejected: {len(users)}.", messages.SUCCESS)
        return None

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("approvals/", wrap(self.approvals_view), name="accounts_user_approvals"),
            path("<int:user_id>/approve/", wrap(self.approve_view), name="accounts_user_approve"),
            path("<int:user_id>/reject/", wrap(self.reject_view), name="accounts_user_reject"),
            path("<int:user_id>/reset-code/", wrap(self.reset_code_view), name="accounts_user_reset_code"),
            path(
                "sign-ins/<int:sign_in_id>/end/",
                wrap(self.end_sign_in_view),
                name="accounts_user_end_sign_in",
            ),
        ]
        return own + super().get_urls()

    def approvals_view(self, request: HttpRequest) -> HttpResponse:
        return approvals_page(self, request)

    def approve_view(self, request: HttpRequest, user_id: int) -> HttpResponse:
        def approve() -> User:
            return services.user_approve(actor_of(request), user_id, basis=basis_of(request))

        return self.run_service(request, approve, "The person is approved.")

    def reject_view(self, request: HttpRequest, user_id: int) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        form = RejectionForm(request.POST or None)
        if not form.is_valid():
            return self.reason_page(request, form, [self.user_or_404(user_id)])

        def reject() -> User:
            reason = form.cleaned_data["reason"]
            return services.user_reject(actor_of(request), user_id, reason, basis=basis_of(request))

        return self.run_service(request, reject, "The person is rejected.")

    def reset_code_view(self, request: HttpRequest, user_id: int) -> HttpResponse:
        return reset_code_page(self, request, user_id)

    def end_sign_in_view(self, request: HttpRequest, sign_in_id: int) -> HttpResponse:
        return self.run_service(
            request,
            lambda: services.session_end_by_staff(actor_of(request), sign_in_id),
            "The sign-in has ended.",
        )

    def user_or_404(self, user_id: int) -> User:
        try:
            return selectors.user(user_id)
        except NotFound:
            raise Http404 from None

    def run_service(
        self, request: HttpRequest, service: Callable[[], User | None], success: str
    ) -> HttpResponse:
        """Call the service for a POST by staff with the permission, show how it went, and redirect back.

        Raises PermissionDenied.
        """
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_change_permission(request):
            raise PermissionDenied
        try:
            service()
        except DecidedMeanwhile as error:
            return self.decided_page(request, error)
        except GalleryError as error:
            self.message_user(request, error.message, messages.ERROR)
        else:
            self.message_user(request, success, messages.SUCCESS)
        return HttpResponseRedirect(self.return_address(request))

    def decided_page(self, request: HttpRequest, error: DecidedMeanwhile) -> HttpResponse:
        """Say what a colleague has decided since, and ask whether the sent decision stands all the same."""
        context = self.page_context(
            request,
            title=error.user.username,
            media=self.media,
            sentence=error.message,
            reason=request.POST.get("reason"),
            seen=error.user.state,
            back=self.return_address(request),
        )
        return TemplateResponse(request, "admin/accounts/user/decided_meanwhile.html", context)

    def return_address(self, request: HttpRequest) -> str:
        """The users' page that the request came from, or that it names in `back`; the list for any other address."""
        user_list = reverse("admin:accounts_user_changelist")
        back = request.POST.get("back") or request.headers.get("Referer", "")
        is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure())
        return back if is_ours and urlsplit(back).path.startswith(user_list) else user_list

    def reason_page(
        self, request: HttpRequest, form: RejectionForm, users: list[User], action: str = ""
    ) -> HttpResponse:
        """Ask for the reason of a rejection; `action` is the list's action that continues with it."""
        context = self.page_context(
            request,
            title="Reject",
            media=self.media,
            form=form,
            users=users,
            action=action,
            select_across=request.POST.get("select_across", "0"),
            reasons=selectors.recent_rejection_reasons(),
            shown=request.POST.getlist(stale_rows.SHOWN),
            left_out=request.POST.get(stale_rows.LEAVE_OUT, ""),
            seen=basis_of(request).state or (users[0].state if len(users) == 1 else ""),
            back=self.return_address(request),
        )
        return TemplateResponse(request, "admin/accounts/user/reject.html", context)


def basis_of(request: HttpRequest) -> Basis:
    """What the page that sends a decision showed: the user's state, in `seen`."""
    seen = request.POST.get("seen") or request.GET.get("seen", "")
    return Basis(state=State(seen) if seen in State.values else None)
