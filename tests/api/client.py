"""A thin client of the API on Django's test client: JSON in, JSON out, signed in where a user is given."""

import json

from django.conf import settings
from django.test import Client

from accounts.models import User
from accounts.sessions import Tokens, create_sign_in
from tests.factories.accounts import UserFactory

# Statements that authentication runs on the database itself; with a replica that is asked instead.
WHO_ASKS = 0 if "replica" in settings.DATABASES else 1

# What an error of this code has besides the members of every error.
EXTRAS = {"approval_rejected": {"rejection_reason"}}


class ApiClient:
    """`ApiClient()` is a stranger; `ApiClient(user)` is signed in as the user, through a real sign-in."""

    def __init__(self, user: User | None = None, *, token: str | None = None, address="127.0.0.1"):
        self.user = user
        self.tokens = Tokens(create_sign_in(user, "tests")) if user else None
        self.token = token or (self.tokens.access_token if self.tokens else None)
        self.http = Client(REMOTE_ADDR=address, raise_request_exception=False)

    @classmethod
    def admin(cls) -> "ApiClient":
        return cls(UserFactory(admin=True))

    @classmethod
    def approved(cls) -> "ApiClient":
        return cls(UserFactory())

    @property
    def headers(self):
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def send(self, method, path, body=None, *, headers=None, **extra):
        """`body` is sent as JSON; text and bytes as they are."""
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        return self.http.generic(
            method,
            path,
            b"" if body is None else body,
            content_type="application/json",
            headers={**self.headers, **(headers or {})},
            **extra,
        )

    def get(self, path, **query):
        return self.http.get(path, query, headers=self.headers)

    def post(self, path, body=None, **more):
        return self.send("POST", path, body, **more)

    def put(self, path, body=None, **more):
        return self.send("PUT", path, body, **more)

    def delete(self, path, body=None, **more):
        return self.send("DELETE", path, body, **more)

    def upload(self, path, **fields):
        """POST a multipart form; files as SimpleUploadedFile."""
        return self.http.post(path, fields, headers=self.headers)


def refused(response, status, code, *more):
    """Assert that the answer is this refusal in the one envelope, with `more` fields; answer its `errors`."""
    body = response.json()
    assert (response.status_code, body.get("code")) == (status, code), body
    assert body["success"] is False
    assert body["message"]
    assert set(body) - {"errors"} == {"success", "message", "code", *more} | EXTRAS.get(code, set())
    if status == 401:
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
    if status in (429, 503):
        assert int(response.headers["Retry-After"]) > 0
    return body.get("errors", {})
