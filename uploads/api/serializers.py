"""What the uploads API accepts and returns."""

from functools import lru_cache
from urllib.parse import urljoin

from django.conf import settings
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request

from core.api.fields import TextField
from core.api.inputs import InputSerializer
from core.json_types import JsonObject
from uploads.keys import ACCEPTED, EXTENSIONS, SPELLINGS
from uploads.models import Category, Image, PendingUpload
from uploads.pipeline.renditions import renditions_as_json
from uploads.storage.base import configured_store

NO_FILE = "Send the picture as a file: its part of the form needs a filename."


class RenditionSerializer(serializers.Serializer[None]):
    width = serializers.IntegerField(help_text="pixels")
    height = serializers.IntegerField(help_text="pixels")
    format = serializers.ChoiceField(["webp"])
    url = serializers.URLField()


class ImageSerializer(serializers.Serializer[None]):
    """A stored image."""

    success = serializers.BooleanField()
    message = serializers.CharField()
    object_key = serializers.CharField()
    url = serializers.URLField()
    content_type = serializers.ChoiceField(list(EXTENSIONS), help_text="of what is stored")
    size = serializers.IntegerField(help_text="bytes, as stored")
    width = serializers.IntegerField(help_text="pixels")
    height = serializers.IntegerField(help_text="pixels")
    dominant_colour = serializers.RegexField("^#[0-9a-f]{6}$")
    thumbhash = serializers.CharField(help_text="base64")
    renditions = RenditionSerializer(many=True, help_text="Narrowest first.")
    in_use = serializers.BooleanField(help_text="Whether a design or a user shows the image.")
    created_at = serializers.DateTimeField()


class UploadSerializer(InputSerializer):
    """The multipart form of an upload."""

    file = serializers.FileField(
        allow_empty_file=True,
        error_messages={"required": "Send the picture as the form's field “file”.", "invalid": NO_FILE},
    )
    category = serializers.ChoiceField(Category.choices, default=Category.DESIGNS)


class PresignQuerySerializer(InputSerializer):
    skip_blank = True

    content_type = serializers.ChoiceField(
        [*ACCEPTED, *SPELLINGS],
        error_messages={"invalid_choice": f"content_type must be one of {', '.join(ACCEPTED)}."},
    )
    size = serializers.IntegerField(min_value=1, help_text="bytes, exactly")
    category = serializers.ChoiceField(Category.choices, default=Category.DESIGNS)


class PresignedSerializer(serializers.Serializer[None]):
    """Where and how to PUT the bytes."""

    upload_url = serializers.URLField()
    method = serializers.ChoiceField(["PUT"])
    headers = serializers.DictField(child=serializers.CharField(), help_text="Send exactly these.")
    object_key = serializers.CharField()
    public_url = serializers.URLField(help_text="The URL of the image once the upload is completed.")
    expires_in = serializers.IntegerField(help_text="seconds")


class CompleteSerializer(InputSerializer):
    object_key = TextField(max_length=255)


class ListQuerySerializer(InputSerializer):
    skip_blank = True

    category = serializers.ChoiceField(Category.choices, required=False)
    unused = serializers.ChoiceField(["true", "false"], required=False)


def absolute(request: Request, address: str) -> str:
    """Return the URL as this caller can reach it."""
    django_request = request._request
    return joined(f"{django_request.scheme}://{django_request.get_host()}/", address)


joined = lru_cache(maxsize=128)(urljoin)


def media_base(request: Request) -> str:
    """What precedes an object's key in its URL, as this caller reaches it."""
    return absolute(request, configured_store().url(""))


def image_as_json(request: Request, image: Image, message: str = "") -> JsonObject:
    """Return the ImageResponse of a row that has `in_use`."""
    base = media_base(request)
    return {
        "success": True,
        "message": message or "The image is stored.",
        "object_key": image.object_key,
        "url": base + image.object_key,
        "content_type": image.content_type,
        "size": image.size,
        "width": image.width,
        "height": image.height,
        "dominant_colour": image.dominant_colour,
        "thumbhash": image.thumbhash,
        "renditions": renditions_as_json(image.renditions, base),
        "in_use": bool(image.in_use),  # type: ignore[attr-defined]
        "created_at": serializers.DateTimeField().to_representation(image.created_at),
    }


def presigned_as_json(
    request: Request, pending: PendingUpload, address: str, headers: dict[str, str]
) -> JsonObject:
    lifetime = min(pending.expires_at - timezone.now(), settings.PRESIGNED_LIFETIME)
    return {
        "upload_url": absolute(request, address),
        "method": "PUT",
        "headers": headers,
        "object_key": pending.object_key,
        "public_url": absolute(request, configured_store().url(pending.object_key)),
        "expires_in": round(lifetime.total_seconds()),
    }
