"""Checks what staff enters in a cell, a form or a list's control as the API checks it."""

from rest_framework.exceptions import ValidationError

from core.api.errors import flat_errors
from core.errors import GalleryError
from designs.api.serializers import DesignInputSerializer
from designs.fields import Values
from designs.pictures import of_cell

FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
UNSENT_IF_EMPTY = ("featured", "status", "r2_object_key", "image_keys")
IMAGE_PENDING = "the image that is still to be stored"  # stands for its key until then

Faults = tuple[tuple[str, str], ...]


def validated_fields(texts: dict[str, str], *, partial: bool) -> Values:
    """The fields of a design for texts; with `partial` none of them is required. Raises ValidationError.

    The pictures are one text (designs.pictures.as_cell).
    """
    data: Values = {name: text for name, text in texts.items() if text or name not in UNSENT_IF_EMPTY}
    if "image_keys" in data:
        data["image_keys"] = of_cell(texts["image_keys"])
    if "featured" in data:
        data["featured"] = FLAGS.get(texts["featured"].lower(), texts["featured"])
    serializer = DesignInputSerializer(data=data, partial=partial)
    serializer.is_valid(raise_exception=True)
    fields: Values = serializer.validated_data
    return fields


def faults_of(error: GalleryError | ValidationError) -> Faults:
    """The (field, sentence) pairs of an error."""
    fields = flat_errors(error.detail) if isinstance(error, ValidationError) else error.fields
    # An upload calls the file wrong, which in a row is the image.
    named = {"image" if field == "file" else field: found for field, found in fields.items()}
    return tuple(
        (field, sentence) for field, found in (named or {"image": [str(error)]}).items() for sentence in found
    )
