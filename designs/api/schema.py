"""Parts of the OpenAPI document that only designs have."""

from drf_spectacular.utils import OpenApiResponse, inline_serializer
from rest_framework import serializers

from core.api.schema import ErrorSerializer
from designs.api.serializers import DesignSerializer, ValueCountSerializer
from designs.fields import FACET_FIELDS

NOT_MODIFIED = OpenApiResponse(description="The response that If-None-Match names still holds.")
DESIGN_PAGE = inline_serializer(
    "DesignPage",
    {
        "items": DesignSerializer(many=True),
        "total": serializers.IntegerField(allow_null=True, help_text="Null after a cursor."),
        "page": serializers.IntegerField(help_text="After a cursor, counted on from the first page."),
        "per_page": serializers.IntegerField(),
        "pages": serializers.IntegerField(allow_null=True, help_text="Null after a cursor."),
        "next": serializers.CharField(allow_null=True, help_text="A cursor for `after`; null at the end."),
        "understood": inline_serializer(
            "Understood",
            {
                "words": serializers.ListField(
                    child=serializers.CharField(), help_text="As read, in lower case, without stop words."
                ),
                "corrected": serializers.DictField(
                    child=serializers.CharField(),
                    help_text="The word read for each typed word that was corrected.",
                ),
                "ignored": serializers.ListField(
                    child=serializers.CharField(), help_text="Stop words, and words left out, as typed."
                ),
            },
            required=False,
            help_text="How a search was read; in pages of a search only.",
        ),
    },
)


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
