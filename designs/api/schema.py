"""The parts of the OpenAPI document that only designs have."""

from drf_spectacular.utils import OpenApiResponse, inline_serializer
from rest_framework import serializers

from designs.api.serializers import ValueCountSerializer
from designs.models import FACET_FIELDS

NOT_MODIFIED = OpenApiResponse(description="If-None-Match names what the caller has: it still holds.")
FACETS = inline_serializer(
    "Facets",
    {
        "total": serializers.IntegerField(),
        "facets": inline_serializer(
            "FacetCounts", {name: ValueCountSerializer(many=True) for name in FACET_FIELDS}
        ),
    },
)
