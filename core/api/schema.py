"""What the OpenAPI document says of every operation: the error answers, and pages."""

from functools import cache
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

ERROR_MEANINGS = {
    "400": "Bad input; `errors` names the fields.",
    "401": "No, bad, expired or revoked token.",
    "403": "Not allowed.",
    "404": "No such thing.",
    "405": "Not this method.",
    "409": "A conflict with what is stored.",
    "413": "Too large.",
    "415": "The wrong media type.",
    "429": "Too many; `Retry-After` says when to come again.",
    "500": "A failure on our side.",
    "503": "The database or the storage is out of reach; `Retry-After` says when to come again.",
}


class ErrorSerializer(serializers.Serializer[Any]):
    """The one envelope of every error."""

    success = serializers.BooleanField(help_text="Always false.")
    message = serializers.CharField(help_text="One sentence for a person.")
    code = serializers.CharField(help_text="Stable snake_case, for programs.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # Not an attribute: DRF's serializers have one of the name `errors` already.
        sentences = serializers.ListField(child=serializers.CharField())
        help_text = "The fields at fault, each with its sentences."
        fields = super().get_fields()
        return fields | {
            "errors": serializers.DictField(child=sentences, required=False, help_text=help_text)
        }


class MessageSerializer(serializers.Serializer[Any]):
    """The answer to a call that succeeded and has no resource to show."""

    message = serializers.CharField()
    success = serializers.BooleanField()


class GallerySchema(AutoSchema):
    """Adds the envelope, under each status it can come with, to every operation."""

    def _get_response_bodies(self, *args: Any, **kwargs: Any) -> Any:
        bodies = super()._get_response_bodies(*args, **kwargs)
        answer = self.get_response_serializers()
        if self.method == "DELETE" and not isinstance(answer, dict):
            # The library takes every deletion for one without an answer; here each has its message.
            bodies = {"200": self._get_response_for_code(answer, "200")}
        for status, meaning in ERROR_MEANINGS.items():
            if status not in bodies:
                bodies[status] = self._get_response_for_code(ErrorSerializer, status)
                bodies[status]["description"] = meaning
        return bodies


@cache
def page_of(serializer: type[serializers.Serializer[Any]]) -> Any:
    """The schema of a page of `serializer`."""
    name = serializer.__name__.removesuffix("Serializer")
    return inline_serializer(
        f"{name}Page",
        {
            "items": serializer(many=True),
            "total": serializers.IntegerField(),
            "page": serializers.IntegerField(),
            "per_page": serializers.IntegerField(),
            "pages": serializers.IntegerField(),
        },
    )


@cache
def items_of(serializer: type[serializers.Serializer[Any]]) -> Any:
    """The schema of a list that is not paged."""
    name = serializer.__name__.removesuffix("Serializer")
    return inline_serializer(f"{name}Items", {"items": serializer(many=True)})
