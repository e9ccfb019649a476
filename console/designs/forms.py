"""The admin's form of a design."""

from typing import Any

from django import forms
from django.conf import settings
from unfold.widgets import UnfoldAdminFileFieldWidget

from core.errors import GalleryError
from designs.fields import SETTABLE_STATUSES
from designs.models import Design
from uploads.pipeline.processing import Prepared, prepare


class DesignForm(forms.ModelForm):
    """A design. Its picture is either uploaded here or chosen by the key of a stored image."""

    picture = forms.FileField(
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text="A JPEG, PNG or WebP file, instead of a stored image.",
    )

    class Meta:
        model = Design
        fields = "__all__"  # noqa: DJ007 -- the admin's fieldsets say which

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(
            status := self.fields.get("status"), forms.ChoiceField
        ):  # there is none where it is read-only
            status.choices = SETTABLE_STATUSES

    def clean_picture(self) -> Prepared | None:
        file = self.cleaned_data["picture"]
        if not file:
            return None
        try:
            return prepare(file.read(settings.MAX_FILE_SIZE + 1))
        except GalleryError as error:
            raise forms.ValidationError(error.message) from error

    def clean(self) -> None:
        super().clean()
        data = self.cleaned_data
        if not data.get("picture") and not data.get("image") and not self.errors:
            self.add_error("picture", "A design needs a picture or the key of an image.")
