"""Middleware: every call under /api counts for its caller, and its answer says how many calls are left.

Two parts, because an answer that an outer middleware gives (a redirect, an unknown host) must say so too, and a refusal
must get the headers of the others (CORS, security).
"""

from collections.abc import Callable, Iterator

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from core import hooks, limits
from core.api.errors import error_response
from core.client_address import client_address, network_of
from core.errors import TooMany
from core.limits import Allowance, Limit, Standing
from core.logs.current import user_is
from core.middleware import GetResponse, is_api

# Calls with a limit of their own beside that of their caller.
SIGN_IN_PATHS = ("/api/auth/login", "/api/auth/refresh", "/api/auth/reset")
UPLOAD_CALLS = (
    ("POST", "/api/upload/image"),
    ("POST", "/api/upload/complete"),
    ("GET", "/api/upload/presigned-url"),
)
REGISTRATION_PATH = "/api/auth/register"


def show_limits(get_response: GetResponse) -> Callable[[HttpRequest], HttpResponseBase]:
    """Write the headers of the limits, on every answer under /api."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not is_api(request.path) or is_preflight(request):
            return get_response(request)
        with limits.noting(request.META) as notes:
            response = get_response(request)
            if notes.least is None:
                refusal(request)  # what answered stands before limit_requests
            if notes.least is not None:
                write_headers(response, notes.least)
        return response

    return middleware


def limit_requests(get_response: GetResponse) -> Callable[[HttpRequest], HttpResponseBase]:
    """Count each call under /api, and refuse it where its caller has none left."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not is_api(request.path):
            return get_response(request)
        return refusal(request) or get_response(request)

    return middleware


def is_preflight(request: HttpRequest) -> bool:
    """Return whether CorsMiddleware answers this call itself."""
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def refusal(request: HttpRequest) -> HttpResponseBase | None:
    """Count the call. Return the answer to one that is too many."""
    try:
        limits.take(*allowances_of(request))
    except TooMany as error:
        user_is(hooks.signed_in_user.call(request))
        return error_response(429, error.message, error.code, retry_after=error.retry_after)
    if request.path == REGISTRATION_PATH:
        # The service counts those that are valid.
        limits.show(limits.registrations_of(network_of(client_address(request))))
    return None


def allowances_of(request: HttpRequest) -> Iterator[Allowance]:
    """Return the limits of a call: its caller's, and that of its kind."""
    network = network_of(client_address(request))
    user_id = hooks.signed_in_user.call(request)
    caller = f"address {network}" if user_id is None else f"user {user_id}"
    yield Allowance(Limit.of("ANONYMOUS_REQUESTS" if user_id is None else "USER_REQUESTS"), caller)
    if request.method == "POST" and request.path in SIGN_IN_PATHS:
        yield Allowance(Limit.of("SIGN_IN_REQUESTS"), f"address {network}")
    if (request.method, request.path) in UPLOAD_CALLS:
        yield Allowance(Limit.of("UPLOAD_REQUESTS"), caller)


def write_headers(response: HttpResponseBase, standing: Standing) -> None:
    """Write how the caller stands. A 429 has nothing left, whoever refused it."""
    if response.status_code == 429:
        reset = max(standing.reset, int(response.get("Retry-After", "0")))
        standing = standing._replace(remaining=0, reset=reset)
    for name, value in headers_of(standing).items():
        response[name] = value


def headers_of(standing: Standing) -> dict[str, str]:
    return {f"RateLimit-{name.capitalize()}": str(number) for name, number in standing._asdict().items()}
