"""The admin's form that takes a picture."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminFileFieldWidget

from core.errors import GalleryError
from uploads.models import Image
from uploads.pipeline.processing import Prepared, prepare


class UploadForm(forms.ModelForm):
    """A file and its category; `prepared` is the checked picture once the form is valid."""

    file = forms.FileField(
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": "image/jpeg,image/png,image/webp"}),
        help_text="JPEG, PNG or WebP.",
        allow_empty_file=True,
    )
    prepared: Prepared

    class Meta:
        model = Image
        fields = ["category"]

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        try:
            self.prepared = prepare(file.read())
        except GalleryError as refusal:
            raise forms.ValidationError(refusal.message) from refusal
        return file
