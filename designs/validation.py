"""What staff sends, checked as the API checks it, wherever it comes from: a cell, a form, a control of a list."""

from typing import Any

from rest_framework.exceptions import ValidationError

from core.api.errors import flat_errors
from core.errors import GalleryError
from designs.api.serializers import DesignInputSerializer

FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
TO_COME = "the image that is still to be stored"

Faults = tuple[tuple[str, str], ...]


def checked(texts: dict[str, str], *, partial: bool) -> dict[str, Any]:
    """The texts as fields of a design; `partial`, where those that are there are enough.

    Raises ValidationError.
    """
    data: dict[str, Any] = {
        name: text for name, text in texts.items() if text or name not in ("featured", "status")
    }
    if "featured" in data:
        data["featured"] = FLAGS.get(texts["featured"].lower(), texts["featured"])
    serializer = DesignInputSerializer(data=data, partial=partial)
    serializer.is_valid(raise_exception=True)
    fields: dict[str, Any] = serializer.validated_data
    return fields


def faults_of(error: GalleryError | ValidationError) -> Faults:
    """(field, sentence) of everything at fault."""
    fields = flat_errors(error.detail) if isinstance(error, ValidationError) else error.fields
    # Of an upload the file is at fault, and in a row that is its image.
    named = {"image" if field == "file" else field: found for field, found in fields.items()}
    return tuple(
        (field, sentence) for field, found in (named or {"image": [str(error)]}).items() for sentence in found
    )
