"""Designs as JSON: what comes in is checked here, what goes out is made here."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from core.api.fields import FlagField, TextField
from designs.models import Design, Status
from designs.read_model import DesignRow, ImageRow
from designs.services import EDITABLE
from uploads.api.serializers import RenditionSerializer, absolute
from uploads.models import Image
from uploads.storage.storages import images

DESCRIPTION_LENGTH = 10_000  # characters


class DesignImageSerializer(serializers.Serializer[Any]):
    width = serializers.IntegerField(help_text="pixels")
    height = serializers.IntegerField(help_text="pixels")
    dominant_colour = serializers.RegexField("^#[0-9a-f]{6}$")
    thumbhash = serializers.CharField(help_text="base64")
    renditions = RenditionSerializer(many=True, help_text="Narrowest first.")


class DesignSerializer(serializers.ModelSerializer[Design]):
    """Says what `as_json` makes; nothing is serialised through it."""

    image_url = serializers.URLField()
    r2_object_key = serializers.CharField()
    view_count = serializers.IntegerField()
    like_count = serializers.IntegerField()
    is_favorite = serializers.BooleanField(help_text="Whether the caller likes it.")
    image = DesignImageSerializer(allow_null=True)

    class Meta:
        model = Design
        fields = [
            "id",
            *EDITABLE,
            "image_url",
            "view_count",
            "like_count",
            "created_at",
            "updated_at",
            "is_favorite",
            "image",
        ]
        extra_kwargs = {name: {"required": True} for name in EDITABLE}


def media_base(request: Request) -> str:
    """What stands before an object's key in its address, as this caller reaches it."""
    return absolute(request, images().url(""))


def as_json(design: Design | DesignRow, base: str, *, is_favorite: bool | None = None) -> dict[str, Any]:
    """The DesignResponse of a row; `base` is the caller's media_base.

    `is_favorite` is that of selectors.shown_to where it is not given.
    """
    return {
        "id": design.pk,
        "title": design.title,
        "description": design.description,
        "image_url": base + design.image_id,
        "r2_object_key": design.image_id,
        "category": design.category,
        "style": design.style,
        "colour": design.colour,
        "fabric": design.fabric,
        "occasion": design.occasion,
        "featured": design.featured,
        "status": design.status,
        "view_count": design.view_count,
        "like_count": design.like_count,
        "designer_name": design.designer_name,
        "collection_name": design.collection_name,
        "season": design.season,
        "created_at": design.created_at,
        "updated_at": design.updated_at,
        "is_favorite": getattr(design, "is_favorite", False) if is_favorite is None else is_favorite,
        "image": image_as_json(design.image, base),
    }


def image_as_json(image: Image | ImageRow, base: str) -> dict[str, Any]:
    return {
        "width": image.width,
        "height": image.height,
        "dominant_colour": image.dominant_colour,
        "thumbhash": image.thumbhash,
        "renditions": [
            {
                "width": one["width"],
                "height": one["height"],
                "format": one["format"],
                "url": base + one["key"],
            }
            for one in image.renditions
        ],
    }


def optional_text(most: int = 100) -> TextField:
    return TextField(max_length=most, required=False, allow_blank=True, allow_null=True)


class DesignInputSerializer(serializers.Serializer[Any]):
    """What staff sends. A null empties a text; for the others it is the same as not sent."""

    title = TextField(max_length=200)
    r2_object_key = TextField(max_length=255)
    category = TextField(max_length=50)
    description = optional_text(DESCRIPTION_LENGTH)
    style = optional_text()  # type: ignore[assignment]  # a name of DRF's own fields
    colour = optional_text()
    fabric = optional_text()
    occasion = optional_text()
    season = optional_text()
    designer_name = optional_text()
    collection_name = optional_text()
    featured = FlagField(required=False, allow_null=True)
    status = serializers.ChoiceField(Status.choices, required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {
            name: "" if value is None else value
            for name, value in attrs.items()
            if value is not None or isinstance(self.fields[name], TextField)
        }


class FavouriteSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()
    success = serializers.BooleanField()
    is_favorite = serializers.BooleanField()
    like_count = serializers.IntegerField()


class ValueCountSerializer(serializers.Serializer[Any]):
    value = serializers.CharField()
    count = serializers.IntegerField()
