"""How every view reads what was sent: a serializer of this class, of the body or of the query string."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

from rest_framework import serializers
from rest_framework.request import Request

from core.json_types import Json

# Validated values by field. Their types are those of the serializer's fields, which no type checker can see.
Inputs: TypeAlias = dict[str, Any]


class InputSerializer(serializers.Serializer[None]):
    """What a call accepts."""

    skip_blank: ClassVar = False  # whether an empty query parameter counts as one left out

    @classmethod
    def of_body(cls, request: Request) -> Inputs:
        """Return the validated body. Raises ValidationError."""
        return cls.validated(request.data)

    @classmethod
    def of_query(cls, request: Request) -> Inputs:
        """Return the validated query parameters; fields left out are missing. Raises ValidationError."""
        # A plain dict: of a QueryDict, as of a form, DRF takes a flag that is missing for false.
        sent = request.query_params.dict()
        if cls.skip_blank:
            required = {name for name, field in cls().fields.items() if field.required}
            sent = {name: value for name, value in sent.items() if value or name in required}
        return cls.validated(sent)

    @classmethod
    def validated(cls, data: Mapping[str, Json] | Sequence[Json]) -> Inputs:
        sent = cls(data=data)
        sent.is_valid(raise_exception=True)
        return dict(sent.validated_data)
