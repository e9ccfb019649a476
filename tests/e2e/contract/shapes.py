"""The bodies of the contract, field by field, and a checker that allows no field more or less.

A kind is a dict (exact keys; an `...` key allows others), a one-element list, a tuple of
alternatives, None, or a function that tells whether a value is of the kind.
"""

import base64
import binascii
import re
from typing import Any

import requests

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
LEAKS = re.compile(
    r"Traceback|File \"|\.py\b|SELECT .* FROM|INSERT INTO|sqlite|OperationalError|<!doctype|<html",
    re.IGNORECASE,
)


def text(value: Any) -> bool:
    return isinstance(value, str)


def filled(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def count(value: Any) -> bool:
    return whole(value) and value >= 0


def positive(value: Any) -> bool:
    return whole(value) and value > 0


def number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def flag(value: Any) -> bool:
    return isinstance(value, bool)


def true(value: Any) -> bool:
    return value is True


def anything(value: Any) -> bool:
    return True


def given(value: Any) -> bool:
    return value is not None


def date(value: Any) -> bool:
    return isinstance(value, str) and bool(DATE.fullmatch(value))


def day(value: Any) -> bool:
    return isinstance(value, str) and bool(DAY.fullmatch(value))


def address(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://", "/"))


def hex_colour(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"#[0-9a-f]{6}", value))


def thumbhash(value: Any) -> bool:
    try:
        return 5 <= len(base64.b64decode(value, validate=True)) <= 30
    except (TypeError, ValueError, binascii.Error):
        return False


def object_key(value: Any) -> bool:
    pattern = r"(designs|avatars|temp)/\d{4}/(0[1-9]|1[0-2])/\d+_[0-9a-f-]{32,36}\.(jpg|png|webp)"
    return isinstance(value, str) and bool(re.fullmatch(pattern, value))


def one_of(*values: Any) -> Any:
    return lambda value: value in values


USER = {
    "id": positive,
    "username": filled,
    "is_admin": flag,
    "is_approved": flag,
    "created_at": date,
    "avatar_url": (address, None),
    "full_name": (filled, None),
    "contact": (filled, None),
}
ADMIN_USER = USER | {
    "state": one_of("pending", "approved", "rejected"),
    "rejection_reason": (text, None),
    "reviewed_at": (date, None),
    "reviewed_by": anything,
    "last_login": (date, None),
}
TOKEN = {
    "access_token": filled,
    "token_type": one_of("bearer"),
    "expires_in": positive,
    "refresh_token": filled,
    "refresh_expires_in": positive,
    "user": USER,
}
SESSION = {
    "id": given,
    "created_at": date,
    "last_used_at": (date, None),
    "user_agent": (text, None),
    "current": flag,
}
MESSAGE = {"message": filled, "success": true}
RENDITION = {"width": positive, "height": positive, "format": one_of("webp"), "url": address}
PICTURE = {
    "width": positive,
    "height": positive,
    "dominant_colour": hex_colour,
    "thumbhash": thumbhash,
    "renditions": [RENDITION],
}
FACET_FIELDS = (
    "category",
    "style",
    "colour",
    "fabric",
    "occasion",
    "season",
    "designer_name",
    "collection_name",
)
OPTIONAL = ("description", *(name for name in FACET_FIELDS if name != "category"))
DESIGN = {
    "id": positive,
    "title": filled,
    "image_url": address,
    "r2_object_key": object_key,
    "category": filled,
    "featured": flag,
    "status": one_of("draft", "published", "archived", "deleted"),
    "version": positive,
    "view_count": count,
    "like_count": count,
    "created_at": date,
    "updated_at": date,
    "is_favorite": flag,
    "image": (PICTURE, None),
    "images": [PICTURE | {"object_key": object_key, "url": address, "alt": text}],
    **dict.fromkeys(OPTIONAL, (text, None)),
}
FAVOURITE = MESSAGE | {"is_favorite": flag, "like_count": count}
IMAGE = {
    "success": true,
    "message": text,
    "object_key": object_key,
    "url": address,
    "content_type": one_of("image/jpeg", "image/png", "image/webp"),
    "size": positive,
    "in_use": flag,
    "created_at": date,
    **PICTURE,
}
PRESIGNED = {
    "upload_url": address,
    "method": one_of("PUT"),
    "headers": {...: ...},
    "object_key": object_key,
    "public_url": address,
    "expires_in": positive,
}
VALUE_COUNT = {"value": filled, "count": positive}
SUGGESTION = {"text": filled, "kind": one_of("title", *FACET_FIELDS), "count": positive}
FACETS = {"total": count, "facets": {field: [VALUE_COUNT] for field in FACET_FIELDS}}
VERSION = {
    "version": positive,
    "created_at": date,
    "actor": ({"id": positive, "username": filled}, None),
    "changes": {...: ...},
}
ANALYTICS = {
    "users": dict.fromkeys(("total", "approved", "pending", "rejected", "admins"), count),
    "designs": {
        **dict.fromkeys(("total", "published", "draft", "archived", "deleted", "featured"), count),
        "by_category": [VALUE_COUNT],
        ...: ...,
    },
    "engagement": dict.fromkeys(("views", "likes", "favorites"), count),
    "top_designs": {"by_views": [{"id": positive, ...: ...}], "by_likes": [{"id": positive, ...: ...}]},
    "series": [{"date": day, **dict.fromkeys(("signups", "designs", "favorites", "views"), count)}],
    "searches": [{"text": filled, "count": positive, "found": count}],
}
SETTING = {
    "key": filled,
    "value": (flag, number, text),
    "description": text,
    "updated_at": (date, None),
}
AUDIT = {
    "id": given,
    "created_at": date,
    "actor": ({"id": positive, "username": filled}, None),
    "action": filled,
    "object_type": text,
    "object_id": anything,
    "object_label": (text, None),
    "changes": {...: ...},
}
HEALTH = {
    "status": one_of("healthy", "degraded", "unhealthy"),
    "version": filled,
    "environment": filled,
    "timestamp": date,
    "checks": {
        "database": {"status": filled, "latency_ms": number, ...: ...},
        "storage": {"status": filled, ...: ...},
        "memory": {...: ...},
        "uptime": given,
        ...: ...,
    },
}


def page_of(kind: Any) -> dict[str, Any]:
    page = {"items": [kind], "total": count, "page": positive, "per_page": positive, "pages": count}
    return page | {"next": (filled, None)} if kind is DESIGN else page


def texts_by_text(value: Any) -> bool:
    return isinstance(value, dict) and all(map(text, [*value, *value.values()]))


UNDERSTOOD = {"words": [filled], "corrected": texts_by_text, "ignored": [filled]}


def page_of_search(kind: Any) -> dict[str, Any]:
    """A page of a search, which says how it was read."""
    return page_of(kind) | {"understood": UNDERSTOOD}


def page_after(kind: Any) -> dict[str, Any]:
    """What follows a cursor."""
    return page_of(kind) | {"total": None, "pages": None}


def items_of(kind: Any) -> dict[str, Any]:
    return {"items": [kind]}


def fits(value: Any, kind: Any, where: str = "body") -> Any:
    """Answer `value`; raise AssertionError, naming the place, where it is not of `kind`."""
    if isinstance(kind, tuple):
        faults = [_fault(value, one, where) for one in kind]
        assert None in faults, f"{where}: {faults}"
    elif isinstance(kind, dict):
        assert isinstance(value, dict), f"{where} is no object: {value!r}"
        names = kind.keys() - {...}
        assert not names - value.keys(), f"{where} lacks {sorted(names - value.keys())}: {value}"
        more = value.keys() - names
        assert ... in kind or not more, f"{where} has {sorted(more)} too: {value}"
        for name in names:
            fits(value[name], kind[name], f"{where}.{name}")
    elif isinstance(kind, list):
        assert isinstance(value, list), f"{where} is no list: {value!r}"
        for index, item in enumerate(value):
            fits(item, kind[0], f"{where}[{index}]")
    elif kind is None:
        assert value is None, f"{where} is {value!r}, not null"
    else:
        assert kind(value), f"{where} is {value!r}, not {getattr(kind, '__name__', kind)}"
    return value


def _fault(value: Any, kind: Any, where: str) -> str | None:
    try:
        fits(value, kind, where)
    except AssertionError as fault:
        return str(fault)
    return None


def granted(answer: requests.Response, kind: Any = MESSAGE, status: int = 200) -> Any:
    """The body of a success, checked."""
    assert answer.status_code == status, f"{_told(answer)}, not {status}"
    assert answer.headers["Content-Type"].startswith("application/json"), answer.headers["Content-Type"]
    assert answer.headers.get("X-Request-ID"), f"{_told(answer)}: no X-Request-ID"
    return fits(answer.json(), kind)


def refused(
    answer: requests.Response,
    status: int | tuple[int, ...],
    code: str | None = None,
    *,
    field: str | None = None,
) -> dict[str, Any]:
    """The body of an error, checked: the envelope, no leak, and the field at fault named."""
    allowed = status if isinstance(status, tuple) else (status,)
    assert answer.status_code in allowed, f"{_told(answer)}, not {status}"
    assert answer.headers["Content-Type"].startswith("application/json"), _told(answer)
    assert answer.headers.get("X-Request-ID"), f"{_told(answer)}: no X-Request-ID"
    body = answer.json()
    kind: dict[Any, Any] = {
        "success": one_of(False),
        "message": filled,
        "code": lambda value: isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9_]*", value),
    }
    if body["code"] == "approval_rejected":
        kind["rejection_reason"] = (text, None)
    more = {"errors": {...: ...}, "current": DESIGN}
    fits(body, kind | {name: more[name] for name in more if name in body})
    for name, sentences in body.get("errors", {}).items():
        assert sentences, f"{name}: {body}"
        fits(sentences, [filled], f"errors.{name}")
    leak = LEAKS.search(answer.text)
    assert not leak, f"{_told(answer)} leaks {leak}"
    if answer.status_code == 401:
        assert answer.headers.get("WWW-Authenticate", "").startswith("Bearer"), (
            f"{_told(answer)}: WWW-Authenticate"
        )
    if answer.status_code in (429, 503):
        assert int(answer.headers["Retry-After"]) > 0
    if code:
        assert body["code"] == code, f"{_told(answer)}: not {code}"
    if field:
        assert field in body.get("errors", {}), f"{_told(answer)} does not name {field}"
    return body


def _told(answer: requests.Response) -> str:
    asked = answer.request
    return f"{asked.method} {asked.url[:300]} → {answer.status_code} {answer.text[:500]}"
