"""Forms of the admin: signing in, a user, the reason of a rejection."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.forms import AdminOwnPasswordChangeForm, AuthenticationForm
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from accounts import selectors, services, throttling, validators
from accounts.models import User
from core.client_address import client_address
from core.errors import TooMany


class SignInForm(AuthenticationForm):
    """The admin's sign-in, with the limits of the API's."""

    def clean(self) -> dict[str, Any]:
        address, username = client_address(self.request), self.cleaned_data.get("username", "")
        try:
            throttling.check_sign_in(address, username)
        except TooMany as refusal:
            raise ValidationError(refusal.message, code=refusal.code) from None
        try:
            cleaned = super().clean()
        except ValidationError:
            throttling.count_failure(address, username)
            raise
        throttling.forgive(address, username)
        return cleaned


class OwnPasswordForm(AdminOwnPasswordChangeForm):
    """One's own password, changed in the admin: guarded, audited, and the end of every other sign-in."""

    user: User

    def __init__(self, user: User, *args: Any, address: str = "", **kwargs: Any) -> None:
        self.address = address
        super().__init__(user, *args, **kwargs)

    def clean_old_password(self) -> str:
        try:
            throttling.check_sign_in(self.address, self.user.username)
        except TooMany as refusal:
            raise ValidationError(refusal.message, code=refusal.code) from None
        try:
            password: str = super().clean_old_password()
        except ValidationError:
            throttling.count_failure(self.address, self.user.username)
            raise
        return password

    def clean_new_password1(self) -> str:
        password: str = self.cleaned_data["new_password1"]
        validators.validate_password(password)
        return password

    def save(self, commit: bool = True) -> User:
        """Store the password; `user` is as it is stored then, for his own session to go on with."""
        self.user = services.update(self.user, self.user.pk, password=self.cleaned_data["new_password1"])
        return self.user


class UserForm(forms.ModelForm):
    """A user as staff edit him. The password is only ever set here, never shown."""

    username = forms.CharField(validators=[validators.validate_username], widget=UnfoldAdminTextInputWidget())
    new_password = forms.CharField(
        strip=False,
        validators=[validators.validate_password],
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="6 to 128 characters, not a common one.",
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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            self.fields["new_password"].required = False
            self.fields["new_password"].help_text += " Leave it empty to keep the one there is."
            self.initial["is_editor"] = self.instance.is_editor

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        holder = selectors.user_by_name(username)
        if holder is not None and holder.pk != self.instance.pk:
            raise ValidationError("This username is taken.", code="username_taken")
        return username


class RejectionForm(forms.Form):
    """The reason of a rejection; those given before are offered."""

    reason = forms.CharField(
        required=False,
        max_length=validators.REASON_LENGTH,
        widget=UnfoldAdminTextInputWidget(attrs={"list": "remembered-reasons", "autofocus": True}),
        help_text="Kept with the account; it may be left empty.",
    )
