"""Parts of the OpenAPI document that only designs have."""

from drf_spectacular.utils import OpenApiResponse, inline_serializer
from rest_framework import serializers

from core.api.schema import ErrorSerializer
from designs.api.serializers import DesignSerializer, ValueCountSerializer
from designs.fields import FACET_FIELDS

NOT_MODIFIED = OpenApiResponse(description="The response that If-None-Match names still holds.")


class EditConflictSerializer(ErrorSerializer):
    """The envelope of an edit_conflict."""

    current = DesignSerializer(help_text="The design as it is now.")


FACETS = inline_serializer(
    "Facets",
    {
        "total": serializers.IntegerField(),
        "facets": inline_serializer(
            "FacetCounts", {name: ValueCountSerializer(many=True) for name in FACET_FIELDS}
        ),
    },
)
