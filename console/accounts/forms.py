"""Forms of the admin: signing in, a new user, a user, the reason of a rejection."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from accounts import selectors, throttling, validators
from accounts.models import User
from core.client_address import client_address
from core.errors import TooMany

PASSWORD_HELP = "6 to 128 characters, not a common one."  # noqa: S105


class SignInForm(AuthenticationForm):
    """The admin's sign-in form, with the API's limits on failures."""

    def clean(self) -> None:
        address, username = client_address(self.request), self.cleaned_data.get("username", "")
        try:
            throttling.check_sign_in(address, username)
        except TooMany as error:
            raise ValidationError(error.message, code=error.code) from None
        try:
            super().clean()
        except ValidationError:
            throttling.count_failure(address, username)
            raise
        throttling.clear_failures(address, username)


class NewUserForm(forms.ModelForm):
    """A user that staff creates. The form sets the password and never shows one."""

    username = forms.CharField(validators=[validators.validate_username], widget=UnfoldAdminTextInputWidget())
    new_password = forms.CharField(
        strip=False,
        validators=[validators.validate_password],
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=PASSWORD_HELP,
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
        fields = ["username", "is_admin"]

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

    def get_initial_for_field(self, field: forms.Field, field_name: str) -> Any:
        if field_name == "is_editor":
            return self.instance.is_editor
        return super().get_initial_for_field(field, field_name)


class RejectionForm(forms.Form):
    """The reason of a rejection. The page offers recent reasons."""

    reason = forms.CharField(
        required=False,
        max_length=validators.REASON_LENGTH,
        widget=UnfoldAdminTextInputWidget(attrs={"list": "remembered-reasons", "autofocus": True}),
        help_text="Kept with the account. May be empty.",
    )
