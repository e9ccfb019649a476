"""The system pages: name and version, health, info, metrics."""

import hmac
import sys
from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from prometheus_client import CONTENT_TYPE_LATEST

from core import app_settings, replica, restores
from core import health as health_checks
from core.api.errors import DEFAULTS, RETRY_AFTER, error_headers, error_response, status_of_django, wait_of
from core.health import Checks
from core.json_types import JsonObject
from core.metrics import exposition

# The app settings that apps show or go by.
TOLD_TO_APPS = ("support_contact", "min_app_version", "privacy_url", "terms_url")
IMAGE_TYPES = ["image/jpeg", "image/png", "image/webp", "image/heic", "image/heif", "image/avif"]
STALE_FORM = (
    "This form is too old, or your browser did not send its cookie. "
    "Please go back, reload the page and send the form again."
)
Page = Callable[..., HttpResponseBase]


def safe_in_envelope(view: Page) -> Page:
    """Answer other methods than GET and HEAD with a 405 in the API's envelope."""

    @csrf_exempt  # the other methods do nothing
    @wraps(view)
    def checked(request: HttpRequest) -> HttpResponseBase:
        if request.method in ("GET", "HEAD"):
            return view(request)
        refusal = error_response(405)
        refusal["Allow"] = "GET, HEAD"
        return refusal

    return checked


@safe_in_envelope
def home(request: HttpRequest) -> JsonResponse:
    """Name, version and links."""
    links = {"health": "/health", "info": "/info", "docs": "/docs", "admin": "/admin/"}
    if not settings.DEBUG:
        del links["docs"]
    return JsonResponse({"name": "Design Gallery", "version": settings.VERSION, **links, "links": links})


@safe_in_envelope
@cache_control(no_store=True)
def health(request: HttpRequest) -> JsonResponse:
    """The health of the service and its parts, within 2 s even if a part hangs."""
    checks = health_checks.run()
    body = {
        "status": checks.status,
        "version": settings.VERSION,
        "environment": settings.ENVIRONMENT,
        "timestamp": timezone.now(),
        "checks": checks.parts,
    }
    return JsonResponse(body, status=503 if checks.status == Checks.UNHEALTHY else 200)


@safe_in_envelope
@cache_control(no_store=True)
def live(request: HttpRequest) -> JsonResponse:
    """Whether this process responds. Checks nothing else."""
    return JsonResponse({"status": "alive", "version": settings.VERSION})


def still_filling(request: HttpRequest) -> HttpResponse:
    """The answer to every other call until this host is ready: a page for the console, else the error envelope."""
    if not f"{request.path}/".startswith("/admin/"):
        return error_response(503)
    page = render(None, "failure.html", {"sentence": DEFAULTS[503][1]}, status=503)
    page["Retry-After"] = str(RETRY_AFTER)
    return page


@safe_in_envelope
@cache_control(no_store=True)
def ready(request: HttpRequest) -> JsonResponse:
    """Whether this host can answer reads, and how far its copy of D1 is filled until then.

    Asks nobody, except where it is not known yet whether a restore has filled the database.
    """
    found = replica.readiness()
    if found.ready:
        if (sentence := health_checks.answer_in_time(restores.fault)) is not None:
            body: JsonObject = {"status": "filling", "progress": 0.0, "message": sentence}
            return JsonResponse(body, status=503, headers=error_headers(503))
        return JsonResponse({"status": "ready"})
    body = {"status": "filling", "progress": round(found.progress, 4)}
    return JsonResponse(body, status=503, headers=error_headers(503))


@safe_in_envelope
def info(request: HttpRequest) -> JsonResponse:
    """Engines, limits, features, and what staff tell the app. No secrets."""
    told = app_settings.all_values()
    storage = settings.STORAGES["default"]["BACKEND"].rsplit(".", 1)[-1]
    return JsonResponse(
        {
            "name": "Design Gallery",
            "version": settings.VERSION,
            "environment": settings.ENVIRONMENT,
            "engines": {"database": connection.display_name, "storage": storage},
            "limits": {
                "default_page_size": settings.DEFAULT_PAGE_SIZE,
                "max_page_size": settings.MAX_PAGE_SIZE,
                "max_file_size": settings.MAX_FILE_SIZE,
                "max_megapixels": settings.MAX_MEGAPIXELS,
                "image_types": IMAGE_TYPES,
            },
            "features": {
                "public_catalogue": told["public_catalogue"],
                "registration_open": told["registration_open"],
                "docs": settings.DEBUG,
                "metrics": bool(settings.METRICS_TOKEN),
            },
            **{name: told[name] for name in TOLD_TO_APPS},
        }
    )


@safe_in_envelope
@cache_control(no_store=True)
def metrics(request: HttpRequest) -> HttpResponse:
    """Metrics for Prometheus, with METRICS_TOKEN, or the previous one, as bearer token; 404 if that is not set."""
    if not settings.METRICS_TOKEN:
        raise Http404
    given = request.headers.get("Authorization", "").encode()
    tokens = [token for token in (settings.METRICS_TOKEN, settings.METRICS_TOKEN_PREVIOUS) if token]
    if not any(hmac.compare_digest(given, f"Bearer {token}".encode()) for token in tokens):
        refusal = HttpResponse("Send METRICS_TOKEN as bearer token.\n", status=401, content_type="text/plain")
        refusal["WWW-Authenticate"] = "Bearer"
        return refusal
    return HttpResponse(exposition.text(), content_type=CONTENT_TYPE_LATEST)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW: the page for a form without its token."""
    return render(None, "failure.html", {"sentence": STALE_FORM}, status=403)


def failure(request: HttpRequest) -> HttpResponse:
    """Django's handler500: the page for unhandled errors.

    503 while the database is away, and 429 while this host's share of D1's calls is used up.

    Under /api core.middleware replaces it by the envelope.
    """
    error = sys.exc_info()[1]
    status = status_of_django(error) if isinstance(error, Exception) else 500
    status = status if status == 429 else max(status, 500)
    page = render(None, "failure.html", {"sentence": DEFAULTS[status][1]}, status=status)
    for name, value in error_headers(status, wait_of(error)).items():
        page[name] = value
    return page
