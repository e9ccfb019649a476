"""The header Idempotency-Key: a second try of a POST gets the answer to the first."""

import hashlib
import json
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.db import DatabaseError
from django.http import HttpResponse
from django.utils.datastructures import MultiValueDict
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.idempotency import Attempt
from accounts.metrics import REPLAYS
from accounts.models import KeptAnswer
from core.api.conditional import JSON, to_json
from core.api.permissions import caller
from core.errors import Forbidden, NotAuthenticated, invalid_field
from d1backend import ConditionFailed, OutcomeUnknown

HEADER, REPLAYED = "Idempotency-Key", "Idempotent-Replayed"
LONGEST = 255  # characters
CHUNK = 256 * 1024  # bytes
CREATED = HTTPStatus.CREATED
IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER,
    {"type": "string", "minLength": 1, "maxLength": LONGEST},
    OpenApiParameter.HEADER,
    description=f"Within 24 hours a second request with it gets the first answer again, with `{REPLAYED}: true`.",
)


# Takes the body of the answer. To be called in the transaction of what it tells of.
Answer = Callable[[Any], None]


def idempotent(make: Callable[[Any, Request, Answer], None]) -> Callable[[Any, Request], HttpResponse]:
    """Turn `make(view, request, answer)`, which makes something and answers, into a method that heeds the header.

    Whoever may not make the call is refused whatever the key. Any other failure of a second try is that of making it
    twice, or of a state that has changed since: the first answer is still right.
    """

    @wraps(make)
    def post(view: APIView, request: Request) -> HttpResponse:
        attempt = attempt_of(request)
        texts: list[str] = []

        def answer(body: Any) -> None:
            texts.append(to_json(body).decode())
            if attempt is not None:
                attempt.keep(CREATED, texts[-1])

        try:
            make(view, request, answer)
        except (Forbidden, NotAuthenticated, PermissionDenied, ConditionFailed):
            raise
        except Exception as error:
            kept = kept_after(error, attempt) if attempt is not None else None
            if kept is None:
                raise
            REPLAYS.inc()
            return HttpResponse(kept.body, JSON, kept.status, headers={REPLAYED: "true"})
        return HttpResponse(texts[-1], JSON, CREATED)

    return post


def kept_after(error: Exception, attempt: Attempt) -> KeptAnswer | None:
    """Return the first answer, after `error`; raise `error` of a write that may be done if it cannot be read."""
    try:
        return attempt.kept()
    except DatabaseError:
        if isinstance(error, OutcomeUnknown):
            raise error from None
        raise


def attempt_of(request: Request) -> Attempt | None:
    """Return the try that a request is; None without the header. Raises Invalid for a key that is none."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not 1 <= len(key) <= LONGEST:
        raise invalid_field(HEADER, f"{HEADER} has 1 to {LONGEST} characters.")
    user = caller(request)
    assert user is not None  # the view's permissions let nobody else pass
    return Attempt(user, f"{request.method} {request.path}", key, fingerprint_of(request))


def fingerprint_of(request: Request) -> str:
    """Return a hash of what was sent: JSON by value, forms by their fields and the bytes of their files."""
    data = request.data
    if not isinstance(data, MultiValueDict):
        return hash_of(data)
    fields = {name: data.getlist(name) for name in data if name not in request.FILES}
    files = {name: [digest_of(file) for file in request.FILES.getlist(name)] for name in request.FILES}
    return hash_of([fields, files])


def hash_of(value: Any) -> str:
    return hashlib.sha256(json.dumps(plain(value), sort_keys=True).encode()).hexdigest()


def plain(value: Any) -> Any:
    """Return a JSON value in which equal numbers look the same: 1.0 is 1."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def digest_of(file: Any) -> str:
    """Return the SHA-256 of a file, which can be read again then."""
    digest = hashlib.sha256()
    for chunk in file.chunks(CHUNK):
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()
