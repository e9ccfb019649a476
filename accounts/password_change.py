"""The admin's page on which a member of staff changes his own password."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.views import PasswordChangeView, redirect_to_login
from django.http import HttpResponse
from django.urls import reverse, reverse_lazy

from console.accounts.forms import OwnPasswordForm
from core.client_address import client_address
from core.errors import NotFound


class OwnPasswordView(PasswordChangeView):
    """Django's page; the form changes the password through the services, which end every other sign-in."""

    form_class = OwnPasswordForm
    success_url = reverse_lazy("admin:password_change_done")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"address": client_address(self.request)}

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            return super().form_valid(form)
        except NotFound:  # deleted just now
            return redirect_to_login(self.request.path, reverse("admin:login"))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**admin.site.each_context(self.request), **kwargs)


own_password = admin.site.admin_view(OwnPasswordView.as_view())
