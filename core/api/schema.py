"""What the OpenAPI document says about every operation: error responses, and pages."""

from functools import cache
from typing import Literal, TypeVar

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from core.json_types import JsonObject

T = TypeVar("T")

ERROR_MEANINGS = {
    "400": "Invalid input. `errors` names the fields.",
    "401": "No, bad, expired or revoked token.",
    "403": "Not allowed.",
    "404": "Not found.",
    "405": "Method not allowed.",
    "409": "A conflict with the stored data.",
    "413": "Too large.",
    "415": "Unsupported media type.",
    "429": "Too many requests. `Retry-After` is the number of seconds to wait.",
    "500": "An error on our side.",
    "503": "The database or the storage is unavailable. `Retry-After` is the number of seconds to wait.",
}
# core.limits.middleware writes them.
LIMIT_HEADERS = {
    "RateLimit-Limit": "The calls that the caller may make at once.",
    "RateLimit-Remaining": "The calls that are left.",
    "RateLimit-Reset": "The seconds until all calls are back.",
}

# The components that docs/api.md calls DesignResponse and so on.
RESPONSES = {"AdminUser", "Design", "Image", "Message", "User"}


class ErrorSerializer(serializers.Serializer[None]):
    """The envelope of every error."""

    success = serializers.BooleanField(help_text="Always false.")
    message = serializers.CharField(help_text="One sentence for a person.")
    code = serializers.CharField(help_text="Stable snake_case, for programs.")

    def get_fields(self) -> dict[str, serializers.Field]:
        # Not an attribute, because DRF's serializers have an attribute `errors`.
        sentences = serializers.ListField(child=serializers.CharField())
        help_text = "The invalid fields, each with its sentences."
        fields = super().get_fields()
        return fields | {
            "errors": serializers.DictField(child=sentences, required=False, help_text=help_text)
        }


class MessageSerializer(serializers.Serializer[None]):
    """The response to a call that succeeded and returns no resource."""

    message = serializers.CharField()
    success = serializers.BooleanField()


class GallerySchema(AutoSchema):
    """Adds the error envelope to every operation, and names components as docs/api.md does.

    gallery_project.openapi leaves of the errors those that the operation has.
    """

    def get_serializer_name(self, serializer: serializers.Serializer[T], direction: str) -> str:
        name = type(serializer).__name__.removesuffix("Serializer")
        return f"{name}Response" if name in RESPONSES else name

    def _get_request_body(self, direction: Literal["request", "response"] = "request") -> JsonObject | None:
        method = self.method
        if method == "DELETE":
            # drf-spectacular leaves out the body of every DELETE; here deleting oneself takes a password.
            self.method = "POST"
        try:
            body: JsonObject | None = super()._get_request_body(direction)
        finally:
            self.method = method
        return body

    def _get_response_bodies(
        self, direction: Literal["request", "response"] = "response"
    ) -> dict[str, JsonObject]:
        bodies: dict[str, JsonObject] = super()._get_response_bodies(direction)
        answer = self.get_response_serializers()
        if self.method == "DELETE" and not isinstance(answer, dict):
            # drf-spectacular documents every DELETE without a body; here each has a message.
            bodies = {"200": self._get_response_for_code(answer, "200")}
        for status, meaning in ERROR_MEANINGS.items():
            if status not in bodies:
                bodies[status] = self._get_response_for_code(ErrorSerializer, status)
                bodies[status]["description"] = meaning
        return bodies


def limit_headers() -> JsonObject:
    """Return the headers of the limits, as an OpenAPI document describes them."""
    number: JsonObject = {"type": "integer", "minimum": 0}
    return {
        name: {"description": meaning, "required": True, "schema": number}
        for name, meaning in LIMIT_HEADERS.items()
    }


@cache
def page_of(serializer: type[serializers.Serializer[T]]) -> serializers.Serializer:
    """Return the schema of a page of `serializer`."""
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
def items_of(serializer: type[serializers.Serializer[T]]) -> serializers.Serializer:
    """Return the schema of a list without pages."""
    name = serializer.__name__.removesuffix("Serializer")
    return inline_serializer(f"{name}Items", {"items": serializer(many=True)})
