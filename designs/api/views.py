"""The catalogue over HTTP."""

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.pagination import PAGE_PARAMETERS, whole_number
from core.api.permissions import IsSignedIn, caller
from core.api.schema import MessageSerializer, items_of, page_of
from designs import counters, selectors, services
from designs.api import filters
from designs.api.answers import answer, page_answer
from designs.api.items import design_item, similar_items
from designs.api.permissions import IsReader, IsReaderOrAdmin
from designs.api.schema import FACETS, NOT_MODIFIED
from designs.api.serializers import (
    DesignInputSerializer,
    DesignSerializer,
    FavouriteSerializer,
    as_json,
    media_base,
)
from designs.catalogue import Stamp
from designs.facets import facets

DESIGN_ID = OpenApiParameter("design_id", OpenApiTypes.INT64, OpenApiParameter.PATH)
DESIGN_PAGE = {200: page_of(DesignSerializer), 304: NOT_MODIFIED}
SIMILAR_DEFAULT, SIMILAR_MOST = 10, 50


class DesignsView(APIView):
    permission_classes = [IsReaderOrAdmin]

    @extend_schema(
        operation_id="designs_list",
        parameters=[*filters.FILTER_PARAMETERS, filters.SORT_PARAMETER, *PAGE_PARAMETERS],
        responses=DESIGN_PAGE,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """The catalogue, filtered, searched and sorted."""
        return page_answer(request, selectors.permitted(caller(request), filters.wanted(request)))

    @extend_schema(request=DesignInputSerializer, responses={201: DesignSerializer})
    def post(self, request: Request) -> Response:
        """Add a design whose image is stored already."""
        sent = DesignInputSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        design = services.create_design(caller(request), sent.validated_data)
        return Response(as_json(design, media_base(request), is_favorite=False), 201)


class FeaturedView(APIView):
    permission_classes = [IsReader]

    @extend_schema(parameters=PAGE_PARAMETERS, responses=DESIGN_PAGE)
    def get(self, request: Request) -> HttpResponseBase:
        """Featured designs, newest first."""
        return page_answer(request, selectors.featured())


class FavouritesView(APIView):
    permission_classes = [IsSignedIn]

    @extend_schema(parameters=PAGE_PARAMETERS, responses=DESIGN_PAGE)
    def get(self, request: Request) -> HttpResponseBase:
        """What the caller likes, the newest favourite first."""
        return page_answer(request, selectors.favourites_of(caller(request)))


class FacetsView(APIView):
    permission_classes = [IsReader]

    @extend_schema(parameters=filters.FILTER_PARAMETERS, responses={200: FACETS, 304: NOT_MODIFIED})
    def get(self, request: Request) -> HttpResponseBase:
        """How many designs there are of each value; a field's own filter does not narrow its counts."""
        wanted = selectors.permitted(caller(request), filters.wanted(request))
        return answer(request, lambda stamp, base: facets(wanted, stamp))


@extend_schema(parameters=[DESIGN_ID])
class DesignView(APIView):
    permission_classes = [IsReaderOrAdmin]

    @extend_schema(responses={200: DesignSerializer, 304: NOT_MODIFIED})
    def get(self, request: Request, design_id: int) -> HttpResponseBase:
        """One design; counts a view."""

        def make(stamp: Stamp | None, base: str) -> dict[str, Any]:
            return design_item(caller(request), design_id, stamp, base)

        response = answer(request, make)
        if request.method == "GET" and response.status_code == 200:
            counters.add_view(design_id)
        return response

    @extend_schema(request=DesignInputSerializer(partial=True), responses=DesignSerializer)
    def put(self, request: Request, design_id: int) -> Response:
        """Change the fields that are sent."""
        sent = DesignInputSerializer(data=request.data, partial=True)
        sent.is_valid(raise_exception=True)
        design = selectors.design_to_change(caller(request), design_id)
        services.update_design(caller(request), design, sent.validated_data)
        return Response(as_json(design, media_base(request)))

    @extend_schema(responses=MessageSerializer)
    def delete(self, request: Request, design_id: int) -> Response:
        """Delete a design; its image stays."""
        services.delete_design(caller(request), selectors.design_to_change(caller(request), design_id))
        return Response({"message": "The design was deleted.", "success": True})


@extend_schema(parameters=[DESIGN_ID])
class SimilarView(APIView):
    permission_classes = [IsReader]

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "limit",
                {"type": "integer", "minimum": 1, "maximum": SIMILAR_MOST, "default": SIMILAR_DEFAULT},
            )
        ],
        responses={200: items_of(DesignSerializer), 304: NOT_MODIFIED},
    )
    def get(self, request: Request, design_id: int) -> HttpResponseBase:
        """Published designs like this one, the nearest first."""
        limit = whole_number(request, "limit", SIMILAR_DEFAULT, most=SIMILAR_MOST)

        def make(stamp: Stamp | None, base: str) -> dict[str, Any]:
            return {"items": similar_items(caller(request), design_id, limit, stamp, base)}

        return answer(request, make)


@extend_schema(parameters=[DESIGN_ID])
class FavouriteView(APIView):
    permission_classes = [IsSignedIn]

    @extend_schema(request=None, responses={200: FavouriteSerializer})
    def post(self, request: Request, design_id: int) -> Response:
        """Like a design; again changes nothing."""
        count = services.add_favourite(caller(request), design_id)
        return self.answer("The design is among your favourites.", True, count)

    @extend_schema(request=None, responses={200: FavouriteSerializer})
    def delete(self, request: Request, design_id: int) -> Response:
        """Like a design no longer; again changes nothing."""
        count = services.remove_favourite(caller(request), design_id)
        return self.answer("The design is not among your favourites.", False, count)

    @staticmethod
    def answer(message: str, is_favorite: bool, like_count: int) -> Response:
        return Response(
            {"message": message, "success": True, "is_favorite": is_favorite, "like_count": like_count}
        )
