"""The catalogue over HTTP."""

from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.caller import sign_in_of
from accounts.api.idempotency import IDEMPOTENCY_KEY, Answer, idempotent
from core import replica
from core.api.conditional import conditional, etag_of, weak_etag
from core.api.pagination import PAGE_PARAMETERS, PageRequest, whole_number
from core.api.permissions import IsAdmin, IsSignedIn, caller
from core.api.responses import message_response
from core.api.schema import MessageSerializer, items_of, page_of
from core.client_address import client_address, network_of
from core.errors import invalid_field
from d1backend.replica import on_primary
from designs import counters, history, searches, selectors, services
from designs.api import filters
from designs.api.pages import DESIGN_PAGE_PARAMETERS, DesignPageRequest, signing_key_mark
from designs.api.permissions import IsReader, IsReaderOrAdmin
from designs.api.schema import DESIGN_PAGE, FACETS, NOT_MODIFIED, EditConflictSerializer
from designs.api.serializers import (
    DesignInputSerializer,
    DesignSerializer,
    DesignUpdateSerializer,
    DesignVersionSerializer,
    FavouriteSerializer,
    RestoreSerializer,
    SuggestionSerializer,
    design_as_json,
)
from designs.catalogue import Catalogue, open_catalogue
from designs.completion import Typed
from designs.fields import Values
from designs.history import EditConflict
from designs.models import Design
from designs.queries import (
    DesignQuery,
    FavouritesQuery,
    Sort,
    favourites_query,
    featured_query,
    restrict_to_visible,
)
from designs.search_counts import LITTLE
from uploads.api.serializers import media_base

DESIGN_ID = OpenApiParameter("design_id", OpenApiTypes.INT64, OpenApiParameter.PATH)
DESIGN_LIST = {200: DESIGN_PAGE, 304: NOT_MODIFIED}
PURGE = OpenApiParameter(
    "purge", {"type": "boolean", "default": False}, description="Delete it for good, also out of the trash."
)
SIMILAR_DEFAULT, SIMILAR_MOST = 10, 50


def catalogue_response(
    request: Request,
    make_body: Callable[[Catalogue], Values],
    *,
    by_version: bool = True,
    search: DesignQuery | None = None,
) -> HttpResponseBase:
    """What `make_body` reads of the catalogue, with its ETag, or a 304. `search` is the query whose search it reads.

    The ETag names the catalogue's version, the caller and the request, so a 304 takes no body. Without a version,
    and with `by_version` false for a body that changes without the version, it names the body.
    """
    base = media_base(request)
    catalogue = open_catalogue(caller(request), base)
    if by_version and catalogue.version_key:
        version_key = catalogue.version_key + (catalogue.reading_key(search) if search else "")
        return conditional(request, version_etag(request, version_key, base), lambda: make_body(catalogue))
    body = make_body(catalogue)
    return conditional(request, etag_of(without_views(body)), lambda: body)


def version_etag(request: Request, version_key: str, base: str) -> str:
    """The ETag of a response; another release, or another key for cursors, gives the same content another form."""
    user, meta = caller(request), request.META
    who = f"{user.pk} {user.is_admin}" if user else ""
    address = (meta["PATH_INFO"], meta["QUERY_STRING"])
    parts = (settings.VERSION, signing_key_mark(), version_key, who, base, *address)
    return weak_etag("\n".join(parts).encode("utf-8", "surrogateescape"))


def without_views(body: Values) -> Values:
    """A body without view counts: the ETag of a design should survive being looked at."""
    if "items" in body:
        return {**body, "items": [without_views(item) for item in body["items"]]}
    return {**body, "view_count": None}


def page_response(
    request: Request, query: DesignQuery | FavouritesQuery, note: Callable[[int], object] | None = None
) -> HttpResponseBase:
    """The page of a list that the query string asks for. `note` is told how many designs a first page finds."""
    asked = DesignPageRequest.of(request, query)

    def make_body(catalogue: Catalogue) -> Values:
        page = catalogue.design_page(query, asked.part)
        if note is not None and page.total is not None and asked.part.start == 0:
            note(page.total)
        return asked.body(page)

    # Views change that order, and leave the version as it is.
    by_version = query.sort is not Sort.MOST_VIEWED
    search = query if isinstance(query, DesignQuery) else None
    return catalogue_response(request, make_body, by_version=by_version, search=search)


class DesignsView(APIView):
    permission_classes = [IsReaderOrAdmin]

    @extend_schema(
        operation_id="designs_list",
        parameters=[*filters.FILTER_PARAMETERS, filters.SORT_PARAMETER, *DESIGN_PAGE_PARAMETERS],
        responses=DESIGN_LIST,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """The catalogue, filtered, searched and sorted."""
        query = restrict_to_visible(caller(request), filters.design_query(request))
        return page_response(request, query, search_noter(request, query))

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY], request=DesignInputSerializer, responses={201: DesignSerializer}
    )
    @idempotent
    def post(self, request: Request, answer: Answer) -> None:
        """Create a design. Its image must be stored already."""
        sent = DesignInputSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        services.design_create(
            caller(request),
            sent.validated_data,
            within=lambda design: answer(design_as_json(design, media_base(request), is_favorite=False)),
        )


def search_noter(request: Request, query: DesignQuery) -> Callable[[int], object] | None:
    """What counts a search that finds little; None for a list that is narrowed by more than its words, or exactly.

    Those of admins are not counted: they find drafts, and try what they change.
    """
    user = caller(request)
    if (
        not query.text
        or "match" in request.query_params
        or query.is_filtered
        or (user is not None and user.is_admin)
    ):
        return None

    def note(found: int) -> None:
        if found <= LITTLE:
            who = f"user {user.pk}" if user is not None else network_of(client_address(request))
            searches.search_note(query.text, found, who)

    return note


def changed_response(
    request: Request, find: Callable[[], Design], change: Callable[[Design], bool]
) -> Response:
    """The design that `find` finds, after `change`, which tells whether it did anything.

    If it did nothing to what this host's copy has, D1 is asked for what another host may have stored since.
    """
    design = find()
    if not change(design) and replica.may_be_old():
        with on_primary():
            design = find()
            change(design)
    return Response(as_caller_sees(request, design))


def as_caller_sees(request: Request, design: Design) -> Values:
    is_favorite = bool(getattr(design, "is_favorite", False))
    return design_as_json(design, media_base(request), is_favorite=is_favorite)


def flag_of(request: Request, name: str) -> bool:
    """A query parameter that is true or false, and false if it is left out. Raises Invalid, which names it."""
    value = request.query_params.get(name, "false").lower()
    if value not in ("true", "false"):
        raise invalid_field(name, f"{name} must be true or false.")
    return value == "true"


class FeaturedView(APIView):
    permission_classes = [IsReader]

    @extend_schema(parameters=DESIGN_PAGE_PARAMETERS, responses=DESIGN_LIST)
    def get(self, request: Request) -> HttpResponseBase:
        """Featured designs, newest first."""
        return page_response(request, featured_query())


class FavouritesView(APIView):
    permission_classes = [IsSignedIn]

    @extend_schema(parameters=DESIGN_PAGE_PARAMETERS, responses=DESIGN_LIST)
    def get(self, request: Request) -> HttpResponseBase:
        """The caller's favourites, the newest first."""
        return page_response(request, favourites_query(caller(request)))


class FacetsView(APIView):
    permission_classes = [IsReader]

    @extend_schema(parameters=filters.FILTER_PARAMETERS, responses={200: FACETS, 304: NOT_MODIFIED})
    def get(self, request: Request) -> HttpResponseBase:
        """The number of designs with each value. The filter of a field does not narrow its own counts."""
        query = restrict_to_visible(caller(request), filters.design_query(request))
        return catalogue_response(request, lambda catalogue: {**catalogue.facets(query)}, search=query)


class SuggestView(APIView):
    permission_classes = [IsReader]

    @extend_schema(
        parameters=[filters.SUGGEST_PARAMETER],
        responses={200: items_of(SuggestionSerializer), 304: NOT_MODIFIED},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Up to 8 values and titles that complete what was typed, also where it was mistyped."""
        text = filters.QueryString(request.query_params).phrase("q")
        query = restrict_to_visible(caller(request), DesignQuery(text=text))
        return catalogue_response(
            request, lambda catalogue: {"items": catalogue.suggestions(Typed.of(text))}, search=query
        )


@extend_schema(parameters=[DESIGN_ID])
class DesignView(APIView):
    permission_classes = [IsReaderOrAdmin]

    @extend_schema(responses={200: DesignSerializer, 304: NOT_MODIFIED})
    def get(self, request: Request, design_id: int) -> HttpResponseBase:
        """One design. Counts a view."""
        response = catalogue_response(request, lambda catalogue: catalogue.design(design_id))
        if request.method == "GET" and response.status_code == 200:
            counters.add_view(design_id)
        return response

    @extend_schema(
        request=DesignUpdateSerializer(partial=True),
        responses={200: DesignSerializer, 409: EditConflictSerializer},
    )
    def put(self, request: Request, design_id: int) -> Response:
        """Change the fields that are sent, unless others changed one of them since `version`."""
        sent = DesignUpdateSerializer(data=request.data, partial=True)
        sent.is_valid(raise_exception=True)
        fields = dict(sent.validated_data)
        version = fields.pop("version", None)
        try:
            return changed_response(
                request,
                partial(selectors.design_get_for_change, caller(request), design_id),
                lambda design: services.design_update(caller(request), design, fields, version=version),
            )
        except EditConflict as conflict:
            conflict.extra["current"] = as_caller_sees(request, conflict.design)
            raise

    @extend_schema(parameters=[PURGE], request=None, responses=MessageSerializer)
    def delete(self, request: Request, design_id: int) -> Response:
        """Put a design into the trash, or purge it. Its image stays."""
        purges = flag_of(request, "purge")
        design = selectors.design_get_for_change(caller(request), design_id, in_trash=purges)
        if purges:
            services.design_purge(caller(request), design)
            return message_response("The design was deleted for good.")
        services.design_delete(caller(request), design)
        return message_response("The design is in the trash.")


@extend_schema(parameters=[DESIGN_ID])
class RestoreView(APIView):
    permission_classes = [IsAdmin]

    @extend_schema(request=RestoreSerializer, responses=DesignSerializer)
    def post(self, request: Request, design_id: int) -> Response:
        """Take a design out of the trash, or back to an earlier version, or both."""
        version = RestoreSerializer.of_body(request).get("version")
        return changed_response(
            request,
            partial(selectors.design_get_for_change, caller(request), design_id, in_trash=True),
            lambda design: services.design_restore(caller(request), design, version),
        )


@extend_schema(parameters=[DESIGN_ID])
class VersionsView(APIView):
    permission_classes = [IsAdmin]

    @extend_schema(parameters=PAGE_PARAMETERS, responses=page_of(DesignVersionSerializer))
    def get(self, request: Request, design_id: int) -> Response:
        """The versions of a design, also of one in the trash, newest first."""
        page = PageRequest.of(request)
        lines, total = history.design_versions(design_id, page.offset, page.offset + page.per_page)
        return Response(page.body(DesignVersionSerializer(lines, many=True).data, total))


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
        return catalogue_response(request, lambda catalogue: {"items": catalogue.similar(design_id, limit)})


@extend_schema(parameters=[DESIGN_ID])
class FavouriteView(APIView):
    write_checks_sign_in = True
    permission_classes = [IsSignedIn]

    @extend_schema(request=None, responses={200: FavouriteSerializer})
    def post(self, request: Request, design_id: int) -> Response:
        """Like a design. Idempotent."""
        count = services.favourite_add(sign_in_of(request), design_id)
        text = "The design is among your favourites."
        return message_response(text, is_favorite=True, like_count=count)

    @extend_schema(request=None, responses={200: FavouriteSerializer})
    def delete(self, request: Request, design_id: int) -> Response:
        """Remove the like. Idempotent."""
        count = services.favourite_remove(sign_in_of(request), design_id)
        text = "The design is not among your favourites."
        return message_response(text, is_favorite=False, like_count=count)
