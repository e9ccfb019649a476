"""The API of uploads."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import DataAndFiles, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.idempotency import IDEMPOTENCY_KEY, Answer, idempotent
from core.api.pagination import PAGE_PARAMETERS, PageRequest
from core.api.permissions import IsAdmin, caller
from core.api.responses import message_response
from core.api.schema import MessageSerializer, page_of
from core.errors import invalid_field
from uploads import selectors, services
from uploads.api.serializers import (
    NO_FILE,
    CompleteSerializer,
    ImageSerializer,
    ListQuerySerializer,
    PresignedSerializer,
    PresignQuerySerializer,
    UploadSerializer,
    image_as_json,
    presigned_as_json,
)
from uploads.models import Category

UNUSED = {"true": True, "false": False}
# Written out: client generators do not resolve references within a multipart form.
UPLOAD_FORM = {
    "type": "object",
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "category": {"type": "string", "enum": Category.values, "default": Category.DESIGNS.value},
    },
    "required": ["file"],
}


class PictureParser(MultiPartParser):
    """The form of an upload. A part without a filename is a field, of which Django takes little."""

    def parse(self, *args: Any, **options: Any) -> DataAndFiles:
        try:
            return super().parse(*args, **options)
        except RequestDataTooBig:
            raise invalid_field("file", NO_FILE) from None


class UploadView(APIView):
    """Upload an image through the service."""

    parser_classes = [PictureParser]

    @extend_schema(
        operation_id="upload_image",
        parameters=[IDEMPOTENCY_KEY],
        request={"multipart/form-data": UPLOAD_FORM},
        responses={201: ImageSerializer},
    )
    @idempotent
    def post(self, request: Request, answer: Answer) -> None:
        form = request.data
        category = form.get("category", Category.DESIGNS) if isinstance(form, dict) else Category.DESIGNS
        services.check_may_upload(caller(request), category)
        sent = UploadSerializer.of_body(request)
        services.image_store(
            caller(request),
            sent["file"],
            sent["category"],
            within=lambda image: answer(image_as_json(request, image)),
        )


class PresignedView(APIView):
    """Get a signed URL to PUT an image to, straight into the store."""

    writes_on_get = True

    @extend_schema(
        operation_id="presign_upload", parameters=[PresignQuerySerializer], responses=PresignedSerializer
    )
    def get(self, request: Request) -> Response:
        services.check_may_upload(caller(request), request.query_params.get("category", Category.DESIGNS))
        sent = PresignQuerySerializer.of_query(request)
        pending, address, headers = services.upload_presign(
            caller(request), sent["content_type"], sent["size"], sent["category"]
        )
        return Response(presigned_as_json(request, pending, address, headers))


class CompleteView(APIView):
    """Report that the bytes have been PUT. The service checks them and makes them an image."""

    @extend_schema(
        operation_id="complete_upload", request=CompleteSerializer, responses={200: ImageSerializer}
    )
    def post(self, request: Request) -> Response:
        sent = CompleteSerializer.of_body(request)
        return Response(image_as_json(request, services.upload_complete(caller(request), sent["object_key"])))


class ImageView(APIView):
    """Delete an image that is not in use."""

    permission_classes = [IsAdmin]

    @extend_schema(
        operation_id="delete_image",
        parameters=[
            OpenApiParameter("key", OpenApiTypes.STR, "path", description="The object key, with its slashes.")
        ],
        request=None,
        responses=MessageSerializer,
    )
    def delete(self, request: Request, key: str) -> Response:
        services.image_delete(caller(request), key)
        return message_response("The image is deleted.")


class ImageListView(APIView):
    """The stored images, newest first."""

    permission_classes = [IsAdmin]

    @extend_schema(
        operation_id="list_images",
        parameters=[*PAGE_PARAMETERS, ListQuerySerializer],
        responses=page_of(ImageSerializer),
    )
    def get(self, request: Request) -> Response:
        page = PageRequest.of(request)
        sent = ListQuerySerializer.of_query(request)
        images = selectors.images(category=sent.get("category"), unused=UNUSED.get(sent.get("unused", "")))
        rows, total = page.rows_and_total(images)
        return Response(page.body([image_as_json(request, image) for image in rows], total))
