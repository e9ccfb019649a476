"""The folder storage over HTTP: reads of objects, and presigned uploads."""

from typing import IO

from django.core.files.storage import storages
from django.http import FileResponse, HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from core.api.errors import error_response
from core.errors import Conflict, Unavailable
from core.lingering_response import CutShortError
from uploads import selectors, signed_urls
from uploads.keys import content_type_of, is_incoming, is_object
from uploads.storage.base import IMMUTABLE
from uploads.storage.folder import FolderStorage

CHUNK = 256 * 1024  # bytes


@csrf_exempt
@require_http_methods(["GET", "HEAD", "PUT", "OPTIONS"])
def media(request: HttpRequest, key: str) -> HttpResponseBase:
    """Return an object of the folder, or receive one. 404 for every key if images are stored elsewhere.

    An uploaded object can be read only after upload_complete has made an image of it.
    """
    store = storages["default"]
    if not isinstance(store, FolderStorage):
        return error_response(404)
    if request.method == "PUT":
        return receive_object(request, store, key) if is_incoming(key) else error_response(404)
    return read_object(store, key) if is_object(key) else error_response(404)


def read_object(store: FolderStorage, key: str) -> HttpResponseBase:
    try:
        file = store.open(key)
    except FileNotFoundError:
        return error_response(404)
    headers = {"Cache-Control": IMMUTABLE, "X-Content-Type-Options": "nosniff"}
    return FileResponse(file, content_type=content_type_of(key), headers=headers)


def receive_object(request: HttpRequest, store: FolderStorage, key: str) -> HttpResponse:
    """Store the body under the key if the URL was signed for exactly this upload."""
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    if not signed_urls.is_valid(
        request.GET.get("ticket", ""), key, request.headers.get("Content-Type", ""), length
    ):
        return error_response(403, "This URL is not signed for this upload, or has expired.")
    if not selectors.is_awaited(key):
        return error_response(412, "This upload is completed, or was given up.", "already_uploaded")
    try:
        with store.draft(key, once=True) as file:
            copy_body(request, file, length)
    except CutShortError:
        return error_response(400, "The body is shorter than its Content-Length.", "cut_short")
    except Conflict as error:
        return error_response(412, error.message, error.code)
    except Unavailable as error:
        return error_response(503, error.message)
    return HttpResponse()


def copy_body(request: HttpRequest, file: IO[bytes], length: int) -> None:
    """Write exactly `length` bytes of the body. Raises CutShortError if fewer arrive."""
    while length > 0:
        try:
            chunk = request.read(min(CHUNK, length))
        except UnreadablePostError:
            raise CutShortError from None
        if not chunk:
            raise CutShortError
        file.write(chunk)
        length -= len(chunk)
