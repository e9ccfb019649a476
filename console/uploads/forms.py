"""The admin's form that uploads a picture."""

from django import forms
from django.core.files.uploadedfile import UploadedFile
from unfold.widgets import UnfoldAdminFileFieldWidget

from core.errors import GalleryError
from uploads.keys import ACCEPTED
from uploads.models import Image
from uploads.pipeline.processing import Prepared, prepare


class UploadForm(forms.ModelForm):
    """A file and its category. `prepared` is the validated picture once the form is valid."""

    file = forms.FileField(
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ",".join(ACCEPTED)}),
        help_text="JPEG, PNG, WebP, HEIC or AVIF.",
        allow_empty_file=True,
    )
    prepared: Prepared

    class Meta:
        model = Image
        fields = ["category"]

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        try:
            self.prepared = prepare(file.read())
        except GalleryError as error:
            raise forms.ValidationError(error.message) from error
        return file
