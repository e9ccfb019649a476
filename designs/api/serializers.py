"""Designs as JSON: input is checked here, and the OpenAPI document learns of the output here."""

from collections.abc import Mapping
from typing import Any

from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.errors import flat_errors
from core.api.fields import FlagField, TextField, WholeNumberField
from core.api.inputs import InputSerializer
from core.api.views import AuditEntrySerializer
from core.json_types import Json
from core.models import AuditEntry
from designs.completion import TITLE, Suggestion
from designs.facets import ValueCount
from designs.fields import (
    ALT_LENGTH,
    COLUMNS,
    EDITABLE,
    FACET_FIELDS,
    MOST_PICTURES,
    SETTABLE_STATUSES,
    Values,
)
from designs.models import Design
from designs.pictures import Picture, Sent
from designs.read_model import IMAGE_COLUMNS, SHOWN, with_pictures
from uploads.api.serializers import RenditionSerializer
from uploads.models import Image

DESCRIPTION_LENGTH = 10_000  # characters
KEY_LENGTH = Image._meta.get_field("object_key").max_length

Field = serializers.Field[Any, Any, Any, Any]


class DesignImageSerializer(serializers.Serializer[Image]):
    width = serializers.IntegerField(help_text="pixels")
    height = serializers.IntegerField(help_text="pixels")
    dominant_colour = serializers.RegexField("^#[0-9a-f]{6}$")
    thumbhash = serializers.CharField(help_text="base64")
    renditions = RenditionSerializer(many=True, help_text="Narrowest first.")


class PictureSerializer(DesignImageSerializer):
    """A picture of a design."""

    object_key = serializers.CharField()
    url = serializers.URLField()
    alt = serializers.CharField(allow_blank=True, max_length=ALT_LENGTH, help_text="The alternative text.")


class DesignSerializer(serializers.ModelSerializer[Design]):
    """Describes a design in the OpenAPI document; designs.read_model makes its JSON."""

    image_url = serializers.URLField()
    r2_object_key = serializers.CharField()
    view_count = serializers.IntegerField()
    like_count = serializers.IntegerField()
    is_favorite = serializers.BooleanField(help_text="Whether the caller likes it.")
    image = DesignImageSerializer(allow_null=True)
    images = PictureSerializer(
        many=True, help_text=f"Up to {MOST_PICTURES} pictures in their order, the cover first."
    )

    class Meta:
        model = Design
        fields = [*SHOWN, "is_favorite", "image_url", "image", "images"]
        extra_kwargs = {name: {"required": True} for name in EDITABLE}


def design_as_json(design: Design, base: str, *, is_favorite: bool) -> Values:
    """A stored design as designs.read_model shows it; `base` precedes the key in the URL of an image."""
    shown = {name: getattr(design, name) for name in SHOWN} | {"is_favorite": is_favorite}
    further = [(picture.image, picture.alt) for picture in design.further]
    pictures = [
        (image.object_key, alt, *(getattr(image, name) for name in IMAGE_COLUMNS))
        for image, alt in [(design.image, design.image_alt), *further]
    ]
    return with_pictures(shown, pictures, base)


def input_field(column: "models.Field[Any, Any]") -> Field:
    """The serializer's field for a column that staff may set."""
    if isinstance(column, models.BooleanField):
        return FlagField(required=False, allow_null=True)
    if column.choices:
        return serializers.ChoiceField(SETTABLE_STATUSES, required=False, allow_null=True)
    if isinstance(column, models.ForeignKey):
        return TextField(max_length=KEY_LENGTH)
    length = column.max_length or DESCRIPTION_LENGTH
    if column.blank:
        return TextField(max_length=length, required=False, allow_blank=True, allow_null=True)
    return TextField(max_length=length)


class PictureInputSerializer(InputSerializer):
    object_key = TextField(max_length=KEY_LENGTH)
    alt = TextField(max_length=ALT_LENGTH, required=False, allow_blank=True, allow_null=True)


@extend_schema_field(
    {
        "type": "array",
        "minItems": 1,
        "maxItems": MOST_PICTURES,
        "items": {
            "oneOf": [
                {"type": "string", "maxLength": KEY_LENGTH},
                {
                    "type": "object",
                    "properties": {
                        "object_key": {"type": "string", "maxLength": KEY_LENGTH},
                        "alt": {"type": "string", "maxLength": ALT_LENGTH, "nullable": True},
                    },
                    "required": ["object_key"],
                },
            ]
        },
        "description": "All pictures in their order, the cover first: different keys, or keys with alternative texts.",
    }
)
class PicturesField(serializers.Field[list[Sent], Json, Json, Any]):
    """All pictures of a design: keys, or {object_key, alt}. Its value has an object only where there is an alt."""

    default_error_messages = {
        "invalid": "This must be a list of keys, or of objects with object_key and alt.",
        "count": f"Send 1 to {MOST_PICTURES} pictures.",
        "twice": "A picture may be sent once only.",
    }

    def to_internal_value(self, data: Json) -> list[Sent]:
        if not isinstance(data, list):
            self.fail("invalid")
        if not 1 <= len(data) <= MOST_PICTURES:
            self.fail("count")
        pictures = [self.picture(item) for item in data]
        if len({picture.object_key for picture in pictures}) < len(pictures):
            self.fail("twice")
        return [picture.sent for picture in pictures]

    def picture(self, item: Json) -> Picture:
        if not isinstance(item, str | dict):
            self.fail("invalid")
        try:
            sent = PictureInputSerializer.validated(item if isinstance(item, dict) else {"object_key": item})
        except serializers.ValidationError as error:
            raise serializers.ValidationError(
                [sentence for sentences in flat_errors(error.detail).values() for sentence in sentences]
            ) from error
        return Picture(sent["object_key"], sent.get("alt") or "")


def version_field(help_text: str) -> Field:
    return WholeNumberField(min_value=1, required=False, help_text=help_text)


class DesignInputSerializer(serializers.Serializer[Design]):
    """What staff sends. A null empties a text; for other fields it is the same as not sent."""

    def get_fields(self) -> dict[str, Field]:
        fields = {name: input_field(COLUMNS[name]) for name in EDITABLE}
        sent = getattr(self, "initial_data", None)
        fields["r2_object_key"].required = isinstance(sent, Mapping) and "image_keys" not in sent
        return fields | {"image_keys": PicturesField(required=False)}

    def validate(self, attrs: Values) -> Values:
        if "image_keys" in attrs:
            first = Picture.of(attrs["image_keys"][0]).object_key
            if attrs.pop("r2_object_key", first) != first:
                raise serializers.ValidationError(
                    {"image_keys": ["The first picture must be r2_object_key."]}
                )
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


class SuggestionSerializer(serializers.Serializer[Suggestion]):
    text = serializers.CharField()
    kind = serializers.ChoiceField([*FACET_FIELDS, TITLE])
    count = serializers.IntegerField(help_text="The designs with this value or title.")
