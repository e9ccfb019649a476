"""The rule of each call of the API: what OWASP's API Security Top 10 (2023) asks of every call.

A call without a rule fails `test_api_calls.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from accounts.resets import reset_code_create
from tests.api.client import ApiClient
from tests.api.test_writes_elsewhere import CALLS as WRITES
from tests.api.test_writes_elsewhere import Call
from tests.factories.accounts import PASSWORD, SignInFactory, UserFactory
from tests.factories.designs import DesignFactory, FavouriteFactory
from tests.factories.uploads import ImageFactory

ANYONE, READER, USER, ADMIN = "anyone", "reader", "user", "admin"
CALLS, SIGN_INS = "USER_REQUESTS", "SIGN_IN_REQUESTS"
UPLOADS, REGISTRATIONS = "UPLOAD_REQUESTS", "REGISTRATIONS"
GUESSES = "guesses"  # of accounts/guesses.py: locks of which a right password is shown the number
Maker = Callable[[ApiClient], Call]
# Of each field that the server alone sets, a value that no row has by chance.
FORGED: dict[str, Any] = {
    **dict.fromkeys(
        ("id", "pk", "user_id", "view_count", "like_count", "trashed_at", "trashed_status"), 4242424242
    ),
    **dict.fromkeys(("reviewed_by", "reviewed_by_id", "owner", "perceptual_hash", "size"), 4242424242),
    **dict.fromkeys(("password_hash", "password_setting", "refresh_id", "username_key"), "4242424242"),
    **dict.fromkeys(("created_at", "updated_at", "reviewed_at", "last_login"), "4242-04-24T02:42:42Z"),
    **{"is_admin": True, "is_approved": True, "is_staff": True, "is_superuser": True, "groups": [1]},
    **{"state": "approved", "is_editor": True},
}


@dataclass(frozen=True)
class Rule:
    """What holds of one call.

    `who` may make it, and `made` makes one that succeeds for them. `limit` is the setting of the limit that it counts
    against, and `sets` names the fields of FORGED that it does take. Of a call that names an object, `foreign` makes
    the same one on an object of somebody else, or one that the caller may not see, which is refused with `refusal`;
    to admins every object is open.
    """

    who: str
    made: Maker
    limit: str = CALLS
    sets: tuple[str, ...] = ()
    foreign: Maker | None = None
    refusal: tuple[int, str] = (404, "not_found")


def read(path: str, **query: Any) -> Maker:
    return lambda client: Call("GET", path, dict(query))


def read_design(suffix: str = "", **fields: Any) -> Maker:
    return lambda client: Call("GET", f"/api/designs/{DesignFactory(**fields).pk}{suffix}")


def draft(method: str, suffix: str = "") -> Maker:
    return lambda client: Call(method, f"/api/designs/{DesignFactory(status='draft').pk}{suffix}")


def unlike_draft(client: ApiClient) -> Call:
    """Somebody else's favourite, which is hidden by now."""
    favourite = FavouriteFactory(design=DesignFactory(status="draft"))
    return Call("DELETE", f"/api/designs/{favourite.design.pk}/favorite")


def read_user(client: ApiClient) -> Call:
    return Call("GET", f"/api/admin/users/{UserFactory().pk}")


def register(client: ApiClient) -> Call:
    return Call("POST", "/api/auth/register", {"username": "charulata", "password": PASSWORD})


def log_in(client: ApiClient) -> Call:
    return Call("POST", "/api/auth/login", {"username": UserFactory().username, "password": PASSWORD})


def refresh(client: ApiClient) -> Call:
    tokens = ApiClient(UserFactory()).tokens
    assert tokens
    return Call("POST", "/api/auth/refresh", {"refresh_token": tokens.refresh_token})


def reset(client: ApiClient) -> Call:
    user = UserFactory()
    code = reset_code_create(UserFactory(admin=True), user.pk).code
    body = {"username": user.username, "code": code, "new_password": "nine yards of silk"}
    return Call("POST", "/api/auth/reset", body)


def session_of_another(client: ApiClient) -> Call:
    return Call("DELETE", f"/api/auth/sessions/{SignInFactory().pk}")


def avatar_of_another(client: ApiClient) -> Call:
    key = ImageFactory(category="avatars", uploaded_by=UserFactory()).object_key
    return Call("PUT", "/api/auth/me", {"avatar_object_key": key})


def upload_of_another(client: ApiClient) -> Call:
    return WRITES["POST api/upload/complete"](ApiClient.admin())


def write(name: str, who: str, **more: Any) -> Rule:
    """The rule of a write that `tests/api/test_writes_elsewhere.py` makes too."""
    return Rule(who, WRITES[name], **more)


def of_admins(*names: str, **more: Any) -> dict[str, Rule]:
    return {name: write(name, ADMIN, **more) for name in names}


AUTH, DESIGN, STAFF = "api/auth/", "api/designs/<row_id:design_id>", "api/admin/users/<int:user_id>"
RULES: dict[str, Rule] = {
    f"POST {AUTH}register": Rule(ANYONE, register, REGISTRATIONS),
    f"POST {AUTH}login": Rule(ANYONE, log_in, GUESSES),
    f"POST {AUTH}refresh": Rule(ANYONE, refresh, SIGN_INS),
    f"POST {AUTH}reset": Rule(ANYONE, reset, GUESSES),
    f"GET {AUTH}me": Rule(USER, read("/api/auth/me")),
    f"PUT {AUTH}me": write(f"PUT {AUTH}me", USER, foreign=avatar_of_another, refusal=(400, "invalid")),
    f"DELETE {AUTH}me": write(f"DELETE {AUTH}me", USER, limit=GUESSES),
    f"GET {AUTH}me/export": Rule(USER, read("/api/auth/me/export")),
    f"POST {AUTH}password": write(f"POST {AUTH}password", USER, limit=GUESSES),
    f"POST {AUTH}logout": write(f"POST {AUTH}logout", USER),
    f"GET {AUTH}sessions": Rule(USER, read("/api/auth/sessions")),
    f"DELETE {AUTH}sessions/<int:sign_in_id>": write(
        f"DELETE {AUTH}sessions/<int:sign_in_id>", USER, foreign=session_of_another
    ),
    "GET api/designs": Rule(READER, read("/api/designs")),
    "GET api/designs/facets": Rule(READER, read("/api/designs/facets")),
    "GET api/designs/featured": Rule(READER, read("/api/designs/featured")),
    "GET api/designs/suggest": Rule(READER, read("/api/designs/suggest", q="silk")),
    "GET api/designs/user/favorites": Rule(USER, read("/api/designs/user/favorites")),
    f"GET {DESIGN}": Rule(READER, read_design(), foreign=draft("GET")),
    f"GET {DESIGN}/similar": Rule(READER, read_design("/similar"), foreign=draft("GET", "/similar")),
    f"GET {DESIGN}/versions": Rule(ADMIN, read_design("/versions")),
    **of_admins("POST api/designs", f"PUT {DESIGN}", f"DELETE {DESIGN}", f"POST {DESIGN}/restore"),
    f"POST {DESIGN}/favorite": write(f"POST {DESIGN}/favorite", USER, foreign=draft("POST", "/favorite")),
    f"DELETE {DESIGN}/favorite": write(f"DELETE {DESIGN}/favorite", USER, foreign=unlike_draft),
    "GET api/admin/users": Rule(ADMIN, read("/api/admin/users")),
    "GET api/admin/users/pending": Rule(ADMIN, read("/api/admin/users/pending")),
    f"GET {STAFF}": Rule(ADMIN, read_user),
    **of_admins(f"PUT {STAFF}", sets=("is_admin", "is_approved")),
    **of_admins(f"POST {STAFF}/approve", sets=("is_approved",)),
    **of_admins(f"DELETE {STAFF}", f"POST {STAFF}/reject", f"POST {STAFF}/reset-code"),
    "GET api/admin/analytics": Rule(ADMIN, read("/api/admin/analytics")),
    "GET api/admin/settings": Rule(ADMIN, read("/api/admin/settings")),
    **of_admins("PUT api/admin/settings"),
    "GET api/admin/audit": Rule(ADMIN, read("/api/admin/audit")),
    # Users may upload avatars; these calls are for category `designs`.
    "POST api/upload/image": write("POST api/upload/image", ADMIN, limit=UPLOADS),
    "GET api/upload/presigned-url": write("GET api/upload/presigned-url", ADMIN, limit=UPLOADS),
    "POST api/upload/complete": write(
        "POST api/upload/complete", ADMIN, limit=UPLOADS, foreign=upload_of_another
    ),
    "DELETE api/upload/image/<path:key>": write("DELETE api/upload/image/<path:key>", ADMIN),
    "GET api/upload/images": Rule(ADMIN, read("/api/upload/images")),
}
