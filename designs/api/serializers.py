"""Designs as JSON: input is checked here, and the OpenAPI document learns of the output here."""

from typing import Any

from django.db import models
from rest_framework import serializers

from core.api.fields import FlagField, TextField, WholeNumberField
from core.api.inputs import InputSerializer
from core.api.views import AuditEntrySerializer
from core.models import AuditEntry
from designs.facets import ValueCount
from designs.fields import COLUMNS, EDITABLE, SETTABLE_STATUSES, Values
from designs.models import Design
from designs.read_model import SHOWN, with_image
from uploads.api.serializers import RenditionSerializer
from uploads.models import Image

DESCRIPTION_LENGTH = 10_000  # characters

Field = serializers.Field[Any, Any, Any, Any]


class DesignImageSerializer(serializers.Serializer[Image]):
    width = serializers.IntegerField(help_text="pixels")
    height = serializers.IntegerField(help_text="pixels")
    dominant_colour = serializers.RegexField("^#[0-9a-f]{6}$")
    thumbhash = serializers.CharField(help_text="base64")
    renditions = RenditionSerializer(many=True, help_text="Narrowest first.")


class DesignSerializer(serializers.ModelSerializer[Design]):
    """Describes a design in the OpenAPI document; designs.read_model makes its JSON."""

    image_url = serializers.URLField()
    r2_object_key = serializers.CharField()
    view_count = serializers.IntegerField()
    like_count = serializers.IntegerField()
    is_favorite = serializers.BooleanField(help_text="Whether the caller likes it.")
    image = DesignImageSerializer(allow_null=True)

    class Meta:
        model = Design
        fields = [*SHOWN, "is_favorite", "image_url", "image"]
        extra_kwargs = {name: {"required": True} for name in EDITABLE}


def design_as_json(design: Design, base: str, *, is_favorite: bool) -> Values:
    """A stored design as designs.read_model shows it; `base` precedes the key in the URL of an image."""
    image = design.image
    shown = {name: getattr(design, name) for name in SHOWN} | {"is_favorite": is_favorite}
    return with_image(
        shown, (image.width, image.height, image.dominant_colour, image.thumbhash, image.renditions), base
    )


def input_field(column: "models.Field[Any, Any]") -> Field:
    """The serializer's field for a column that staff may set."""
    if isinstance(column, models.BooleanField):
        return FlagField(required=False, allow_null=True)
    if column.choices:
        return serializers.ChoiceField(SETTABLE_STATUSES, required=False, allow_null=True)
    if isinstance(column, models.ForeignKey):
        return TextField(max_length=column.target_field.max_length)
    length = column.max_length or DESCRIPTION_LENGTH
    if column.blank:
        return TextField(max_length=length, required=False, allow_blank=True, allow_null=True)
    return TextField(max_length=length)


def version_field(help_text: str) -> Field:
    return WholeNumberField(min_value=1, required=False, help_text=help_text)


class DesignInputSerializer(serializers.Serializer[Design]):
    """What staff sends. A null empties a text; for other fields it is the same as not sent."""

    def get_fields(self) -> dict[str, Field]:
        return {name: input_field(COLUMNS[name]) for name in EDITABLE}

    def validate(self, attrs: Values) -> Values:
        return {
            name: "" if value is None else value
            for name, value in attrs.items()
            if value is not None or isinstance(self.fields[name], TextField)
        }


class DesignUpdateSerializer(DesignInputSerializer):
    """The same, and the version that the change is based on."""

    def get_fields(self) -> dict[str, Field]:
        return super().get_fields() | {"version": version_field("The one that was read.")}


class RestoreSerializer(InputSerializer):
    version = version_field("Back to this one.")


class DesignVersionSerializer(AuditEntrySerializer):
    version = serializers.IntegerField()

    class Meta:
        model = AuditEntry
        fields = ["version", "created_at", "actor", "changes"]


class FavouriteSerializer(serializers.Serializer[Design]):
    message = serializers.CharField()
    success = serializers.BooleanField()
    is_favorite = serializers.BooleanField()
    like_count = serializers.IntegerField()


class ValueCountSerializer(serializers.Serializer[ValueCount]):
    value = serializers.CharField()
    count = serializers.IntegerField()
