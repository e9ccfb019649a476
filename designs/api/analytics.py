"""Analytics over HTTP."""

from collections.abc import Iterable

from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from core.api.conditional import conditional, etag_of
from core.api.pagination import whole_number
from core.api.permissions import IsAdmin
from designs import analytics, searches
from designs.api.schema import NOT_MODIFIED
from designs.api.serializers import Field, ValueCountSerializer
from designs.fields import FACET_FIELDS, Status, Values
from designs.models import Design
from uploads.api.serializers import media_base

DAYS_DEFAULT, DAYS_MOST = 30, 365


class TopDesignSerializer(serializers.Serializer[Design]):
    id = serializers.IntegerField()
    title = serializers.CharField()
    image_url = serializers.URLField()
    view_count = serializers.IntegerField()
    like_count = serializers.IntegerField()


class DaySerializer(serializers.Serializer[analytics.DayFigures]):
    date = serializers.DateField(help_text="UTC")
    signups = serializers.IntegerField()
    designs = serializers.IntegerField()
    favorites = serializers.IntegerField()
    views = serializers.IntegerField()


class MissedSearchSerializer(serializers.Serializer[searches.MissedSearch]):
    text = serializers.CharField(help_text="The words as searches compare them.")
    count = serializers.IntegerField()
    found = serializers.IntegerField(help_text="The designs that it found.")


def numbers(name: str, *fields: str, **more: Field) -> Field:
    return inline_serializer(name, {field: serializers.IntegerField() for field in fields} | more)


ANALYTICS = inline_serializer(
    "Analytics",
    {
        "users": numbers("UserFigures", "total", "approved", "pending", "rejected", "admins"),
        "designs": numbers(
            "DesignFigures",
            *("total", *Status.values, "featured"),
            **{f"by_{name}": ValueCountSerializer(many=True) for name in FACET_FIELDS},
        ),
        "engagement": numbers("EngagementFigures", "views", "likes", "favorites"),
        "top_designs": inline_serializer(
            "TopDesigns",
            {"by_views": TopDesignSerializer(many=True), "by_likes": TopDesignSerializer(many=True)},
        ),
        "series": DaySerializer(many=True),
        "searches": MissedSearchSerializer(
            many=True,
            help_text="Those of several people that found nothing or little, the most frequent first.",
        ),
    },
)


class AnalyticsView(APIView):
    permission_classes = [IsAdmin]

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "days",
                {"type": "integer", "minimum": 1, "maximum": DAYS_MOST, "default": DAYS_DEFAULT},
                description="The number of days in the series; today is the last.",
            )
        ],
        responses={200: ANALYTICS, 304: NOT_MODIFIED},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Totals, the top designs, the figures of each day, and the searches that found little."""
        figures = analytics.overview(whole_number(request, "days", DAYS_DEFAULT, most=DAYS_MOST))
        base = media_base(request)
        body = {
            **figures,
            "top_designs": {
                name: top_json(designs, base) for name, designs in figures["top_designs"].items()
            },
            "series": [day_json(day) for day in figures["series"]],
        }
        return conditional(request, etag_of(body), lambda: body)


def day_json(day: analytics.DayFigures) -> Values:
    return {
        "date": day["day"],
        "signups": day["signups"],
        "designs": day["designs"],
        "favorites": day["likes"],
        "views": day["views"],
    }


def top_json(designs: Iterable[Design], base: str) -> list[Values]:
    return [
        {
            "id": design.pk,
            "title": design.title,
            "image_url": base + design.image_id,
            "view_count": design.view_count,
            "like_count": design.like_count,
        }
        for design in designs
    ]
