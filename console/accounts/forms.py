"""Forms of the admin: signing in, a new user, a user, the reason of a rejection."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from accounts import selectors, sessions, validators
from accounts.details import CONTACT_LENGTH, FULL_NAME_LENGTH
from accounts.guesses import Guess
from accounts.models import User
from console.merging import UNNAMED
from core.client_address import client_address
from core.errors import TooMany

PASSWORD_HELP = "6 to 128 characters, not a common one."  # noqa: S105


class SignInForm(AuthenticationForm):
    """The admin's sign-in form, with the API's limits on failures."""

    def clean(self) -> None:
        address, username = client_address(self.request), self.cleaned_data.get("username", "")
        try:
            with sessions.attempt(address, username) as guess:
                self.clean_guess(guess)
        except TooMany as error:
            raise ValidationError(error.message, code=error.code) from None

    def clean_guess(self, guess: Guess) -> None:
        try:
            super().clean()
        except ValidationError:
            guess.fail()
            raise
        guess.succeed()


class NewUserForm(forms.ModelForm):
    """A user that staff creates. The form sets the password and never shows one."""

    username = forms.CharField(validators=[validators.validate_username], widget=UnfoldAdminTextInputWidget())
    new_password = forms.CharField(
        strip=False,
        validators=[validators.validate_password],
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=PASSWORD_HELP,
    )
    full_name = forms.CharField(
        required=False,
        max_length=FULL_NAME_LENGTH,
        validators=[validators.validate_one_line],
        widget=UnfoldAdminTextInputWidget(),
    )
    contact = forms.CharField(
        required=False,
        max_length=CONTACT_LENGTH,
        validators=[validators.validate_contact],
        widget=UnfoldAdminTextInputWidget(),
        help_text="An e-mail address or a telephone number.",
    )
    is_admin = forms.BooleanField(
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        label="Admin",
        help_text="May do everything, here and in the app.",
    )
    is_editor = forms.BooleanField(
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        label="Editor",
        help_text="May work on designs and images here.",
    )

    class Meta:
        model = User
        fields = ["username", "full_name", "contact", "is_admin"]

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if selectors.is_taken(username, self.instance):
            raise ValidationError("This username is taken.", code="username_taken")
        return username


class UserForm(NewUserForm):
    """A user that staff changes."""

    new_password = forms.CharField(
        required=False,
        strip=False,
        validators=[validators.validate_password],
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=f"{PASSWORD_HELP} Leave it empty to keep the current one.",
    )

    trail_names = {"full_name": UNNAMED, "contact": UNNAMED}  # the trail holds no details

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["is_editor"] = self.instance.is_editor


class RejectionForm(forms.Form):
    """The reason of a rejection. The page offers recent reasons."""

    reason = forms.CharField(
        required=False,
        max_length=validators.REASON_LENGTH,
        widget=UnfoldAdminTextInputWidget(attrs={"list": "remembered-reasons", "autofocus": True}),
        help_text="Shown to the person when they sign in. May be empty.",
    )
