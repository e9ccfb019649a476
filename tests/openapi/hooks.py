"""Schemathesis' hooks: valid calls get ids, keys, codes and tokens of things that exist, and answers are counted.

What a schema cannot say (a password that is not common, a key that is stored) is put right in valid parts of a call;
parts that are wrong on purpose stay as they were made. What a call does not use up is made once.
"""

import atexit
import json
import os
import secrets
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import schemathesis
from hypothesis import strategies
from hypothesis.strategies import SearchStrategy
from schemathesis.core.parameters import ParameterLocation
from schemathesis.transport.serialization import Binary

from devtools.serving import Client
from tests.e2e.pictures import picture

UPLOAD = "POST /api/upload/image"
PASSWORD = "six yards of silk"
JPEG = "image/jpeg"
counts: defaultdict[str, Counter[int]] = defaultdict(Counter)
Body = dict[str, Any]


class State:
    """What exists at the server, made through its API by the admin who runs all calls."""

    def __init__(self) -> None:
        self.admin = Client(os.environ["GALLERY_ADDRESS"])
        self.admin.use(json.loads(os.environ["GALLERY_TOKEN"]))

    def made(self, method: str, path: str, **sent: Any) -> Any:
        answer = self.admin.request(method, path, **sent)
        assert answer.ok, answer.text
        return answer.json()

    def name(self) -> str:
        return f"user-{secrets.token_hex(8)}"

    def user(self) -> Any:
        sent = {"username": self.name(), "password": PASSWORD}
        user = self.made("POST", "/api/auth/register", json=sent)["user"]
        return self.made("POST", f"/api/admin/users/{user['id']}/approve")["user"]

    @cached_property
    def member(self) -> Any:
        """A user whom no call deletes, and whose password no call that needs it changes."""
        return self.user()

    def sign_in(self, user: Any) -> Any:
        sent = {"username": user["username"], "password": PASSWORD}
        return self.made("POST", "/api/auth/login", json=sent)

    def key(self, category: str = "designs") -> str:
        files = {"file": ("saree.jpg", picture(32, 32), JPEG)}
        made = self.made("POST", "/api/upload/image", files=files, data={"category": category})
        return str(made["object_key"])

    @cache  # noqa: B019  # there is one State, for as long as the process runs
    def picture(self, number: int) -> str:
        """The key of one of some pictures that no call deletes."""
        return self.key()

    def new_design(self) -> int:
        sent = {"title": "Kanjeevaram", "category": "Saree", "r2_object_key": self.picture(0)}
        return int(self.made("POST", "/api/designs", json=sent)["id"])

    @cached_property
    def design(self) -> int:
        """One that no call deletes."""
        made = self.new_design()
        self.made("POST", f"/api/designs/{made}/favorite")
        return made

    def arrived(self) -> str:
        """The key of an upload whose bytes were PUT."""
        data = picture(32, 32)
        query = {"content_type": JPEG, "size": len(data)}
        ticket = self.made("GET", "/api/upload/presigned-url", params=query)
        sent = self.admin.session.put(ticket["upload_url"], data=data, headers=ticket["headers"], timeout=30)
        assert sent.ok, sent.text
        return str(ticket["object_key"])


state = State()
# Schemathesis takes a body with bytes for a wrong one once a hook has changed it, so uploads are right from the start.
schemathesis.openapi.format("binary", strategies.builds(lambda: Binary(picture(32, 32))))


def code_of(user: Any) -> Body:
    code = state.made("POST", f"/api/admin/users/{user['id']}/reset-code")["code"]
    return {"username": user["username"], "code": code}


def keys(body: Body) -> Body:
    """Real pictures in place of those that were sent."""
    real: Body = {}
    if "r2_object_key" in body:
        real["r2_object_key"] = state.picture(0)
    if "image_keys" in body:
        real["image_keys"] = [state.picture(number) for number in range(len(body["image_keys"]))]
    return real


def avatar(body: Body) -> Body:
    return {"avatar_object_key": state.key("avatars")} if body.get("avatar_object_key") else {}


# What a valid body of these calls has in place of what the schema made up.
BODIES: dict[str, Callable[[Body], Body]] = {
    "POST /api/auth/login": lambda body: {"username": state.member["username"], "password": PASSWORD},
    "POST /api/auth/refresh": lambda body: {"refresh_token": state.sign_in(state.member)["refresh_token"]},
    "POST /api/auth/reset": lambda body: code_of(state.member),
    "POST /api/auth/password": lambda body: {"current_password": PASSWORD},
    "DELETE /api/auth/me": lambda body: {"password": PASSWORD},
    "PUT /api/auth/me": avatar,
    "PUT /api/admin/settings": lambda body: {"settings": {"public_catalogue": False}},
    "POST /api/designs": keys,
    "PUT /api/designs/{id}": keys,
    "POST /api/upload/complete": lambda body: {"object_key": state.arrived()},
}
IDS: dict[str, Callable[[], int]] = {
    "DELETE /api/designs/{id}": state.new_design,
    "/api/designs/": lambda: state.design,
    "DELETE /api/admin/users/{id}": lambda: int(state.user()["id"]),
    "/api/admin/users/": lambda: int(state.member["id"]),
}
# These end the sign-in that they are made with: each call is made by a guest, of whom this makes the user.
GUESTS: dict[str, Callable[[], Any]] = {
    "POST /api/auth/password": state.user,
    "DELETE /api/auth/me": state.user,
    "POST /api/auth/logout": lambda: state.member,
    "DELETE /api/auth/sessions/{id}": lambda: state.member,
}
A_GUESTS = "the token of a guest, who signs in when the call is made"


def plain(value: Any, name: str = "") -> Any:
    """A valid text as the server takes it: these rules are not in the schema."""
    if isinstance(value, dict):
        return {key: plain(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner, name) for inner in value]
    if not isinstance(value, str):
        return value
    if name == "username":
        return state.name()
    if name in ("password", "new_password"):
        return f"{value[:100]} {secrets.token_hex(4)}".replace("\0", "0")
    if name == "contact":
        return f"{secrets.token_hex(4)}@example.org"
    return "".join(char if char.isprintable() else "x" for char in value).strip() or "x"


def label(case: Any) -> str:
    """The operation that is tested, which a check may try by other methods too."""
    return f"{case.operation.method.upper()} {case.operation.path}"


def session_of(case: Any) -> int | None:
    """The id of the sign-in that the call is made with; None where a check sends a wrong token, or none."""
    headers = {"Authorization": (case.headers or {}).get("Authorization", "")}
    answer = state.admin.request("GET", "/api/auth/sessions", headers=headers)
    found = answer.json()["items"] if answer.ok else []
    return next((int(one["id"]) for one in found if one["current"]), None)


def set_path(case: Any, call: str) -> None:
    if "{key}" in call:
        case.path_parameters = {"key": state.key()}
    elif "sessions" in call:
        if (session := session_of(case)) is not None:
            case.path_parameters = {"id": session}
    else:
        found = next(make for start, make in IDS.items() if call.startswith(start) or start in call)
        case.path_parameters = {"id": found()}


def set_query(case: Any, call: str) -> None:
    query = {name: value for name, value in case.query.items() if name != "after"}
    if call.endswith("presigned-url"):
        query |= {"content_type": JPEG, "size": 1000}
    case.query = query


@schemathesis.auth(refresh_interval=None)
class Tokens:
    def get(self, case: Any, context: Any) -> str:
        call = label(case)
        if call in GUESTS:
            return A_GUESTS
        if call == "GET /metrics":
            return os.environ["METRICS_TOKEN"]
        return str(state.admin.token["access_token"])

    def set(self, case: Any, token: str, context: Any) -> None:
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """Leave out the example of an upload: its file is a text that stands for a picture."""
    method, path = UPLOAD.lower().split()
    del raw_schema["paths"][path][method]["requestBody"]["content"]["multipart/form-data"]["example"]


def is_empty(value: Any) -> bool:
    """Whether a parameter of this value is sent without one."""
    if isinstance(value, dict):
        return all(is_empty(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return all(is_empty(item) for item in value)
    return value is None or value == ""


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """Leave out what the server takes on purpose.

    That is unknown headers, many ids of which some are equal, and an empty parameter, which counts as one left out.
    """
    query = case.query or {}
    ids = query.get("ids")
    twice = isinstance(ids, list) and len(set(map(str, ids))) < len(ids)
    wrong = case.meta is not None and case.meta.is_negative_at(ParameterLocation.QUERY)
    empty = wrong and any(is_empty(value) for value in query.values())
    return not twice and not empty and "x-schemathesis-unknown-property" not in (case.headers or {})


def with_request_id(case: Any, request_id: UUID) -> Any:
    case.headers = {**(case.headers or {}), "X-Request-ID": str(request_id)}
    return case


@schemathesis.hook
def before_generate_case(context: Any, strategy: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """Give each call an id: a right call without parameters could be made once only, and wrong tokens were the rest."""
    return strategies.builds(with_request_id, strategy, strategies.uuids())


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    call = f"{case.method} {case.operation.path}"
    wrong = case.meta.is_negative_at if case.meta else lambda location: False
    if case.headers and case.headers.get("Authorization") == f"Bearer {A_GUESTS}":
        token = state.sign_in(GUESTS[label(case)]())["access_token"]
        case.headers = {**case.headers, "Authorization": f"Bearer {token}"}
    if case.path_parameters and not wrong(ParameterLocation.PATH):
        set_path(case, call)
    if case.query and not wrong(ParameterLocation.QUERY):
        set_query(case, call)
    if case.headers and "Idempotency-Key" in case.headers and not wrong(ParameterLocation.HEADER):
        # A key that was used says nothing about the body that comes with it.
        key = f"{case.headers['Idempotency-Key'][:239]}{secrets.token_hex(8)}"
        case.headers = {**case.headers, "Idempotency-Key": key}
    if isinstance(case.body, dict) and call != UPLOAD and not wrong(ParameterLocation.BODY):
        body = plain(case.body)
        case.body = {**body, **BODIES.get(call, lambda body: {})(body)}


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    call = f"{case.method} {case.operation.path}"
    if case.method.upper() != case.operation.method.upper():
        return  # a check tries whether the other methods are refused
    counts[call][response.status_code] += 1


@atexit.register
def tell() -> None:
    Path(os.environ["GALLERY_COUNTS"]).write_text(json.dumps(counts))
