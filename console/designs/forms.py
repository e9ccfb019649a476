"""The admin's form of a design."""

from typing import Any

from django import forms
from django.conf import settings
from unfold.widgets import UnfoldAdminFileFieldWidget

from core.errors import GalleryError
from designs.models import Design
from uploads.models import Category, Image
from uploads.pipeline.processing import Prepared, prepare


class DesignForm(forms.ModelForm):
    """A design, whose picture is chosen by its key or uploaded along."""

    picture = forms.FileField(
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text="A JPEG, PNG or WebP, in the place of an image that is stored already.",
    )

    class Meta:
        model = Design
        fields = "__all__"  # noqa: DJ007 -- the admin's fieldsets say which

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "image" in self.fields:
            self.fields["image"].required = False
            self.fields["image"].queryset = Image.objects.filter(category=Category.DESIGNS)  # type: ignore[attr-defined]

    def clean_picture(self) -> Prepared | None:
        file = self.cleaned_data["picture"]
        if not file:
            return None
        try:
            return prepare(file.read(settings.MAX_FILE_SIZE + 1))
        except GalleryError as error:
            raise forms.ValidationError(error.message) from error

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not cleaned.get("picture") and not cleaned.get("image") and not self.errors:
            self.add_error("picture", "A design needs a picture, or the key of an image.")
        return cleaned
