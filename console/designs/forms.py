"""The admin's form of a design."""

from copy import copy
from typing import Any

from django import forms
from django.conf import settings
from rest_framework.exceptions import ValidationError
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget

from core.errors import GalleryError
from designs.fields import SETTABLE_STATUSES
from designs.models import Design
from designs.pictures import Sent, as_cell
from designs.validation import faults_of, validated_fields
from uploads.pipeline.processing import Prepared, prepare

COVERS = ("picture", "image")


class PictureListField(forms.CharField):
    """Pictures, one a line (designs.pictures.as_cell). Browsers end the lines of a form with CR LF."""

    def to_python(self, value: str | None) -> str:
        return str(super().to_python(value)).replace("\r\n", "\n")


class DesignForm(forms.ModelForm):
    """A design. Its cover is uploaded here or chosen by the key of a stored image, or all its pictures are listed."""

    picture = forms.FileField(
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text="A JPEG, PNG, WebP, HEIC or AVIF file, instead of a stored image.",
    )
    image_keys = PictureListField(
        label="All pictures",
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="One a line, the cover first: the key of a stored image, a space, the alternative text.",
    )

    trail_names = {"image": "image_keys"}
    replaced_by = {"image": "picture"}

    class Meta:
        model = Design
        fields = "__all__"  # noqa: DJ007 -- the admin's fieldsets say which

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.before = copy(self.instance)  # before cleaning changes it
            self.initial["image_keys"] = as_cell(self.before.pictures)
        status = self.fields.get("status")  # there is none where it is read-only
        if isinstance(status, forms.ChoiceField):
            status.choices = SETTABLE_STATUSES

    def clean_picture(self) -> Prepared | None:
        file = self.cleaned_data["picture"]
        if not file:
            return None
        try:
            return prepare(file.read(settings.MAX_FILE_SIZE + 1))
        except GalleryError as error:
            raise forms.ValidationError(error.message) from error

    def clean_image_keys(self) -> list[Sent]:
        text = self.cleaned_data["image_keys"].strip()
        if not text:
            return []
        try:
            pictures: list[Sent] = validated_fields({"image_keys": text}, partial=True)["image_keys"]
        except ValidationError as error:
            raise forms.ValidationError([sentence for _, sentence in faults_of(error)]) from error
        return pictures

    def clean(self) -> None:
        super().clean()
        data = self.cleaned_data
        if self.errors:
            return
        if not any(data.get(name) for name in (*COVERS, "image_keys")):
            self.add_error("picture", "A design needs a picture or the key of an image.")
        if "image_keys" in self.changed_data and data["image_keys"] and {*COVERS} & {*self.changed_data}:
            self.add_error("image_keys", "Change either the cover or the list of all pictures.")
