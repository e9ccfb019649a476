"""The codes of the errors of each operation, by which clients decide (docs/api.md)."""

from collections.abc import Iterator, Mapping

from gallery_project.openapi import Node

Codes = Mapping[int, tuple[str, ...]]

SIGNED_IN: Codes = {401: ("not_authenticated", "invalid_token", "token_expired", "token_revoked")}
ADMIN: Codes = {403: ("forbidden",)}
UNDECIDED: Codes = {403: ("approval_pending", "approval_rejected")}
GUESSED: Codes = {429: ("too_many_attempts",)}
KEYED: Codes = {409: ("idempotency_mismatch", "idempotency_in_progress")}
CHECKED: Codes = {400: ("invalid_image",), 413: ("file_too_large",)}
USERS_KEPT: Codes = {409: ("last_admin", "own_account")}

# Beside what `codes_of` tells from the operation itself.
OWN: Mapping[str, tuple[Codes, ...]] = {
    "POST /api/auth/register": ({403: ("registration_closed",), 409: ("username_taken",)}, GUESSED),
    "POST /api/auth/login": ({401: ("invalid_credentials",)}, UNDECIDED, GUESSED),
    "POST /api/auth/refresh": (
        {401: ("invalid_token", "token_expired", "token_revoked", "token_reused")},
        UNDECIDED,
    ),
    "POST /api/auth/reset": ({401: ("invalid_code",)}, GUESSED),
    "DELETE /api/auth/me": ({403: ("wrong_password",), 409: ("last_admin",)}, GUESSED),
    "POST /api/auth/password": ({403: ("wrong_password",)}, GUESSED),
    "POST /api/admin/users/{id}/reject": (USERS_KEPT,),
    "POST /api/admin/users/{id}/reset-code": ({409: ("own_account",)},),
    "PUT /api/admin/users/{id}": (USERS_KEPT, {409: ("username_taken",)}),
    "DELETE /api/admin/users/{id}": (USERS_KEPT,),
    "PUT /api/admin/settings": ({409: ("conflict",)},),
    "POST /api/designs": (ADMIN, KEYED),
    "PUT /api/designs/{id}": (ADMIN, {409: ("edit_conflict",)}),
    "DELETE /api/designs/{id}": (ADMIN,),
    "POST /api/designs/{id}/restore": (ADMIN, {409: ("image_gone",)}),
    "GET /api/designs/{id}/versions": (ADMIN,),
    "POST /api/upload/image": (ADMIN, CHECKED, KEYED),
    "GET /api/upload/presigned-url": (ADMIN, {413: ("file_too_large",)}),
    "POST /api/upload/complete": (CHECKED, {404: ("not_found",), 409: ("not_uploaded",)}),
    "DELETE /api/upload/image/{key}": (ADMIN, {409: ("image_in_use",)}),
    "GET /api/upload/images": (ADMIN,),
}


def codes_of(method: str, path: str, operation: Node) -> dict[int, tuple[str, ...]]:
    """Return the codes of an operation by status: those that follow from what it takes, then its own."""
    found: dict[int, tuple[str, ...]] = {}
    for codes in (*general(method, path, operation), *OWN.get(f"{method} {path}", ())):
        for status, names in codes.items():
            found[status] = tuple(dict.fromkeys((*found.get(status, ()), *names)))
    return dict(sorted(found.items()))


def general(method: str, path: str, operation: Node) -> Iterator[Codes]:
    """The codes that any operation of this kind has."""
    yield {405: ("method_not_allowed",)}
    if not path.startswith("/health"):
        yield {503: ("unavailable",)}
    if not path.startswith("/api/"):
        return
    yield {400: ("invalid",), 414: ("address_too_long",), 429: ("too_many_requests",), 500: ("server_error",)}
    if "security" in operation:
        yield SIGNED_IN
    if path.startswith("/api/admin/"):
        yield ADMIN
    if "{" in path:
        yield {404: ("not_found",)}
    if "requestBody" in operation:
        yield {400: ("malformed", "cut_short"), 413: ("too_large",), 415: ("unsupported_media_type",)}
    if method != "GET":
        yield {413: ("too_large",), 503: ("outcome_unknown",)}
