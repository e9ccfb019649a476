"""The admin's form of a design."""

from copy import copy
from typing import Any

from django import forms
from django.conf import settings
from rest_framework.exceptions import ValidationError

from console.designs.picture_list import PictureListField
from core.errors import GalleryError
from designs.fields import SETTABLE_STATUSES
from designs.models import Design
from designs.pictures import Sent, as_cell
from designs.validation import faults_of, validated_fields
from uploads.pipeline.processing import Prepared, prepare


class DesignForm(forms.ModelForm):
    """A design with the list of its pictures. `picture` is a file that becomes the cover, where no script runs."""

    picture = forms.FileField(required=False)  # shown by the widget of the pictures, as are its errors
    image_keys = PictureListField(label="Pictures", required=False)

    replaced_by = {"image_keys": "picture"}

    class Meta:
        model = Design
        fields = "__all__"  # noqa: DJ007 -- the admin's fieldsets say which

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.before = copy(self.instance)  # before cleaning changes it
            self.initial["image_keys"] = as_cell(self.before.pictures)
        if "description" in self.fields:
            self.fields["description"].widget.attrs["rows"] = 5
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
            self.add_error("image_keys", error.message)
            return None

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
        keys, name = data.get("image_keys"), self.add_prefix("image_keys")
        is_unsent = self.fields["image_keys"].widget.value_omitted_from_data(self.data, self.files, name)
        if not data.get("picture") and not keys and not (is_unsent and self.instance.pk):
            self.add_error("image_keys", "A design needs a picture.")
        if keys and "image_keys" in self.changed_data and data.get("picture"):
            self.add_error("image_keys", "Change either the cover or the list of all pictures.")
