"""Middleware: the error envelope, the size limit, repeats, security headers."""

import re
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.messages.storage import default_storage
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.urls import resolve
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject

from core import races, replica, restores, system
from core.api.errors import error_response
from core.request_body import BodyTooLarge, Unreadable
from core.spending import READS
from d1backend import conditional_writes, gather
from d1backend.replica import on_primary

GetResponse = Callable[[HttpRequest], HttpResponseBase]

HEALTH_PATHS = ("/health", "/health/live", "/health/ready")
INNER_PATHS = (*HEALTH_PATHS, "/metrics")  # called inside the host's network, by an address and plain HTTP
QUALITY = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
# Images come from here or from the bucket's public URL, which is plain HTTP on a developer's machine.
IMAGES = f"'self' data: https: {settings.IMAGE_ORIGIN}".strip()
STRICT_POLICY = (
    f"default-src 'none'; img-src {IMAGES}; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
# unfold's Alpine evaluates expressions and sets inline styles; nothing else here needs either.
ADMIN_POLICY = (
    f"default-src 'self'; img-src {IMAGES} blob:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'unsafe-eval'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'self'; object-src 'none'"
)
# Swagger UI sets inline styles.
DOCS_POLICY = STRICT_POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")


def is_api(path: str) -> bool:
    return path == "/api" or path.startswith("/api/")


def api_envelope(get_response: GetResponse) -> Callable[[HttpRequest], HttpResponseBase]:
    """Give the envelope to errors under /api that did not come from a DRF view."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if response.status_code < 400 or not is_api(request.path):
            return response
        if response.get("Content-Type", "").startswith("application/json"):
            return response
        replacement = error_response(response.status_code)
        for name in ("Allow", "Retry-After"):
            if response.has_header(name):
                replacement[name] = response[name]
        response.close()
        return replacement

    return middleware


def health_first(get_response: GetResponse) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answer the health calls and the metrics by any host name, and nothing else until this host can answer reads.

    Not before its copy is filled, and not while a restore fills the database. Load balancers and Prometheus call them
    by an address. What follows checks the host name.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path in INNER_PATHS:
            return resolve(request.path).func(request)
        if replica.is_filling_first() or restores.must_wait():
            return system.still_filling(request)
        return get_response(request)

    return middleware


def plain_media_type(get_response: GetResponse) -> Callable[[HttpRequest], HttpResponseBase]:
    """Write the media type of the body in lower case: its case says nothing (RFC 9110, section 8.3.1).

    Django's parser of forms knows them in lower case only.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        kind, semicolon, parameters = request.META.get("CONTENT_TYPE", "").partition(";")
        request.META["CONTENT_TYPE"] = kind.lower() + semicolon + parameters
        return get_response(request)

    return middleware


class Cors(CorsMiddleware):
    """django-cors-headers' middleware, most of whose work is for requests of pages of other origins."""

    async_capable = False

    def __call__(self, request: HttpRequest) -> Any:
        if "HTTP_ORIGIN" in request.META or request.method == "OPTIONS":
            return super().__call__(request)
        response = self.get_response(request)
        assert isinstance(response, HttpResponseBase)
        if self.is_enabled(request):
            patch_vary_headers(response, ["origin"])
        return response


class JsonGzip(GZipMiddleware):
    """gzip for the JSON of GET responses. Images are compressed already, and responses with tokens must not be."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        is_json = response.get("Content-Type") == "application/json"
        if request.method != "GET" or not (is_json or response.status_code == HTTPStatus.NOT_MODIFIED):
            return response
        patch_vary_headers(response, ["Accept-Encoding"])  # also of a response too short to compress
        # gzip would give a body to a 304 of WhiteNoise, which is a stream of nothing.
        if not is_json or not accepts_gzip(request.META.get("HTTP_ACCEPT_ENCODING", "")):
            return response
        request.META["HTTP_ACCEPT_ENCODING"] = "gzip"  # Django finds neither GZIP nor *
        return super().process_response(request, response)


def accepts_gzip(header: str) -> bool:
    """Return whether the client wants gzip rather than the plain body (Accept-Encoding, RFC 9110, section 12.5.3).

    Django finds the word gzip in `gzip;q=0` too.
    """
    quality = {}
    for item in header.lower().split(","):
        coding, _, weight = item.replace(" ", "").partition(";q=")
        found = QUALITY.fullmatch(weight)
        quality[coding] = 1.0 if not weight else float(weight) if found else 0.0
    wanted = quality.get("gzip", quality.get("*", 0.0))
    return wanted > 0 and wanted >= quality.get("identity", 0.0)


def body_limit(get_response: GetResponse) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answer 413 where a view asks for a body over its path's limit. What refuses without the body comes first."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isascii() or not length.isdecimal():
            return error_response(400, "Content-Length is not a number.", "malformed")
        body, limit = request.META.get("wsgi.input"), body_limit_of(request.path)
        if isinstance(body, Unreadable):
            body.limit = limit
        elif "HTTP_TRANSFER_ENCODING" in request.META:
            return error_response(411)
        if int(length) > limit:
            request._stream = Unreadable(BodyTooLarge)  # type: ignore[assignment]
        try:
            return get_response(request)
        except BodyTooLarge:
            code = "file_too_large" if limit > settings.MAX_JSON_SIZE else "too_large"
            return error_response(413, f"The request may have at most {limit:,} bytes.", code)

    return middleware


def writes_need_d1(get_response: GetResponse) -> Callable[[HttpRequest], HttpResponseBase]:
    """Reject writes at once while D1 is known to be away: if they waited, they would block reads."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.method in READS or not is_api(request.path):
            return get_response(request)
        wait = replica.outage()
        return get_response(request) if wait is None else error_response(503, retry_after=wait)

    return middleware


class RepeatLostWrites:
    """Run a view again if its write lost against another one. It authenticates and reads again.

    The last middleware, because any after it would see only one run of the view.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponseBase],
        args: Sequence[int | str],
        kwargs: Mapping[str, int | str],
    ) -> HttpResponseBase:
        def call(is_last: bool) -> HttpResponseBase:
            if hasattr(request, "may_repeat"):
                as_received(request)
            request.may_repeat = not is_last  # type: ignore[attr-defined]
            return answer()

        @conditional_writes()  # authentication adds the condition
        def answer() -> HttpResponseBase:
            return view(request, *args, **kwargs)

        if only_reads(request, view) and replica.reads_ask_d1():
            # The view asks for the sign-in first (ask_ahead), and runs again with the answer. The copy may become
            # readable meanwhile: an answer that came from both would count a design in one list and not in another.
            with on_primary():
                return gather(answer)[0]
        return races.repeated(call)


def only_reads(request: HttpRequest, view: Callable[..., HttpResponseBase]) -> bool:
    """Return whether this is a call of the API that writes nothing."""
    writes = getattr(getattr(view, "cls", None), "writes_on_get", False)
    return request.method in READS and is_api(request.path) and not writes


def as_received(request: HttpRequest) -> None:
    """Restore the parts of a request that a view has used up."""
    for _, files in request.FILES.lists():
        for file in files:
            file.seek(0)
    request.user = SimpleLazyObject(lambda: get_user(request))  # type: ignore[assignment]
    request._messages = default_storage(request)  # type: ignore[attr-defined]


def body_limit_of(path: str) -> int:
    """Return the limit of a path in bytes. For uploads the multipart frame comes on top of the file."""
    takes_files = path.startswith(("/api/upload/image", "/media/", "/admin/"))
    return settings.MAX_FILE_SIZE + settings.MAX_JSON_SIZE if takes_files else settings.MAX_JSON_SIZE


def security_headers(get_response: GetResponse) -> Callable[[HttpRequest], HttpResponseBase]:
    """Set the content security policy of each part of the site; disable powerful features everywhere."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.setdefault("Content-Security-Policy", policy_of(request.path))
        response.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        return response

    return middleware


def local_images() -> str:
    """Return the origin of a store on plain HTTP, such as one on this machine; https: covers the others."""
    address = urlsplit(settings.STORAGES["default"].get("OPTIONS", {}).get("public_url", ""))
    return f" http://{address.netloc}" if address.scheme == "http" else ""


def policy_of(path: str) -> str:
    if path.startswith("/admin"):
        return ADMIN_POLICY.replace("img-src 'self'", f"img-src 'self'{local_images()}")
    return DOCS_POLICY if path == "/docs" else STRICT_POLICY
