"""The admin's page on which members of staff change their own password."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.forms import PasswordChangeForm as DjangoPasswordChangeForm
from django.contrib.auth.views import PasswordChangeView, redirect_to_login
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.urls import reverse, reverse_lazy
from unfold.forms import AdminOwnPasswordChangeForm

from accounts import services, sessions, validators
from accounts.guesses import Guess
from accounts.models import User
from console.sessions import sign_in_id_of
from core.client_address import client_address
from core.errors import NotFound, TooMany


class PasswordChangeForm(AdminOwnPasswordChangeForm):
    """Changes the password through the services, which audit it and end every sign-in except `keep_session`.

    Wrong old passwords count as failed sign-ins from `address`.
    """

    user: User

    def __init__(self, *args: Any, address: str = "", keep_session: int | None = None, **kwargs: Any) -> None:
        self.address, self.keep_session = address, keep_session
        super().__init__(*args, **kwargs)

    def clean_old_password(self) -> str:
        try:
            with sessions.attempt(self.address, self.user.username) as guess:
                return self.guessed_password(guess)
        except TooMany as error:
            raise ValidationError(error.message, code=error.code) from None

    def guessed_password(self, guess: Guess) -> str:
        try:
            password: str = super().clean_old_password()
        except ValidationError:
            guess.fail()
            raise
        guess.succeed()
        return password

    def clean_new_password1(self) -> str:
        password: str = self.cleaned_data["new_password1"]
        validators.validate_password(password)
        return password

    def save(self, commit: bool = True) -> User:
        """Store the password."""
        password = self.cleaned_data["new_password1"]
        return services.user_update(
            self.user, self.user.pk, password=password, keep_session=self.keep_session
        )


class ConsolePasswordChangeView(PasswordChangeView):
    """Django's page with the gallery's form."""

    form_class = PasswordChangeForm
    success_url = reverse_lazy("admin:password_change_done")

    def get_form_kwargs(self) -> dict[str, Any]:
        own = {"address": client_address(self.request), "keep_session": sign_in_id_of(self.request)}
        return super().get_form_kwargs() | own

    def form_valid(self, form: DjangoPasswordChangeForm) -> HttpResponse:
        try:
            return super().form_valid(form)
        except NotFound:  # the user has just been deleted
            return redirect_to_login(self.request.path, reverse("admin:login"))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**admin.site.each_context(self.request), **kwargs)


password_change = admin.site.admin_view(ConsolePasswordChangeView.as_view())
