"""Every write asks D1 whether the caller is still signed in, with the role that this host knows them by.

Another host ends the sign-in, and the copy of this host has not heard of it. The table names every write of the URL
configuration: a new one without a line here fails the test, and so does one that writes all the same.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest
from django.apps import apps
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import URLPattern, get_resolver
from rest_framework.views import APIView

from core import replica
from designs.models import CatalogueVersion
from tests.api.client import ApiClient, refused
from tests.factories.accounts import PASSWORD, SignInFactory, UserFactory
from tests.factories.designs import DesignFactory, FavouriteFactory
from tests.factories.uploads import ImageFactory
from tests.pictures import picture
from uploads.keys import incoming_key, new_key
from uploads.models import PendingUpload

GALLERY = ("core", "accounts", "uploads", "designs")
DEMOTED = "UPDATE users SET is_admin = 0 WHERE id = CAST(?1 AS INTEGER)"
SIGN_IN_ENDS = {
    "rejected": "UPDATE users SET is_approved = 0 WHERE id = CAST(?1 AS INTEGER)",
    "signed out": "UPDATE sign_ins SET ended_at = created_at WHERE user_id = CAST(?1 AS INTEGER)",
    "deleted": "DELETE FROM sign_ins WHERE user_id = CAST(?1 AS INTEGER)",
}


@dataclass
class Call:
    """A write of the API, as far as it differs from `METHOD route`."""

    method: str
    path: str
    body: dict[str, Any] = field(default_factory=dict)
    of_admins: bool = True

    def made(self, client):
        if self.method == "GET":
            return client.get(self.path, **self.body)
        if "file" in self.body:
            return client.upload(self.path, **self.body)
        return client.send(self.method, self.path, self.body)


def new_design(client):
    image = ImageFactory()
    body = {"title": "New", "category": "Saree", "r2_object_key": image.object_key}
    return Call("POST", "/api/designs", body)


def of_design(method, suffix="", *, of_admins=True, **body):
    return lambda client: Call(method, f"/api/designs/{DesignFactory().pk}{suffix}", {**body}, of_admins)


def restore(client):
    design = DesignFactory(status="deleted", trashed_status="draft")
    return Call("POST", f"/api/designs/{design.pk}/restore")


def unlike(client):
    design = FavouriteFactory(user=client.user).design
    return Call("DELETE", f"/api/designs/{design.pk}/favorite", of_admins=False)


def of_user(method, suffix="", *, pending=False, **body):
    return lambda client: Call(
        method, f"/api/admin/users/{UserFactory(pending=pending).pk}{suffix}", {**body}
    )


def own(method, path, **body):
    return lambda client: Call(method, f"/api/auth/{path}", {**body}, of_admins=False)


def end_session(client):
    other = SignInFactory(user=client.user)
    return Call("DELETE", f"/api/auth/sessions/{other.pk}", of_admins=False)


def upload(client):
    file = SimpleUploadedFile("a.jpg", picture(), "image/jpeg")
    return Call("POST", "/api/upload/image", {"file": file, "category": "designs"})


def presign(client):
    return Call("GET", "/api/upload/presigned-url", {"content_type": "image/jpeg", "size": 1000})


def complete(client):
    key, data = new_key("designs", "image/jpeg"), picture()
    default_storage.put(incoming_key(key), data, "image/jpeg")
    until = client.tokens.sign_in.expires_at
    PendingUpload.objects.create(
        object_key=key, category="designs", content_type="image/jpeg", size=len(data), user=client.user,
        expires_at=until,
    )  # fmt: skip
    return Call("POST", "/api/upload/complete", {"object_key": key})


def delete_image(client):
    return Call("DELETE", f"/api/upload/image/{ImageFactory().object_key}")


CALLS = {
    "PUT api/auth/me": own("PUT", "me", avatar_object_key=None),
    "DELETE api/auth/me": own("DELETE", "me", password=PASSWORD),
    "POST api/auth/password": own("POST", "password", current_password=PASSWORD, new_password="nine yards"),
    "POST api/auth/logout": own("POST", "logout"),
    "DELETE api/auth/sessions/<int:sign_in_id>": end_session,
    "POST api/designs": new_design,
    "PUT api/designs/<row_id:design_id>": of_design("PUT", title="Changed"),
    "DELETE api/designs/<row_id:design_id>": of_design("DELETE"),
    "POST api/designs/<row_id:design_id>/restore": restore,
    "POST api/designs/<row_id:design_id>/favorite": of_design("POST", "/favorite", of_admins=False),
    "DELETE api/designs/<row_id:design_id>/favorite": unlike,
    "PUT api/admin/users/<int:user_id>": of_user("PUT", username="renamed"),
    "DELETE api/admin/users/<int:user_id>": of_user("DELETE"),
    "POST api/admin/users/<int:user_id>/approve": of_user("POST", "/approve", pending=True),
    "POST api/admin/users/<int:user_id>/reject": of_user("POST", "/reject", pending=True),
    "POST api/admin/users/<int:user_id>/reset-code": of_user("POST", "/reset-code"),
    "PUT api/admin/settings": lambda client: Call(
        "PUT", "/api/admin/settings", {"settings": {"public_catalogue": True}}
    ),
    "POST api/upload/image": upload,
    "GET api/upload/presigned-url": presign,
    "POST api/upload/complete": complete,
    "DELETE api/upload/image/<path:key>": delete_image,
}
# They know nobody before they write, and compare a password, a code or a refresh token in the statement that does.
OF_ANYONE = {f"POST api/auth/{call}" for call in ("register", "login", "refresh", "reset")}


def routes(patterns=None, prefix=""):
    """Every route of the URL configuration with its view class."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route, getattr(pattern.callback, "cls", None)
        elif not prefix and not route.startswith("api/"):
            continue
        else:
            yield from routes(pattern.url_patterns, route)


def writes_of(view):
    methods = {"POST", "PUT", "PATCH", "DELETE"} | (
        {"GET"} if getattr(view, "writes_on_get", False) else set()
    )
    return {method for method in methods if hasattr(view, method.lower())}


def test_every_write_of_the_api_has_its_line():
    found = {
        f"{method} {route}"
        for route, view in routes()
        if view is not None and issubclass(view, APIView)
        for method in writes_of(view)
    }
    assert found == CALLS.keys() | OF_ANYONE


def stored():
    """All rows of the gallery on D1, but for what follows from the designs.

    That is the search index, whose rows say how it is built, and the catalogue's version, which is random: a
    transaction that is open gets another with each rehearsal.
    """
    gallery = [model for name in GALLERY for model in apps.get_app_config(name).get_models()]
    tables = [model for model in gallery if model._meta.managed and model is not CatalogueVersion]
    return {model: sorted(model.objects.using("default").values_list(), key=repr) for model in tables}


@pytest.mark.skipif(not replica.is_used(), reason="only D1 has other hosts (TEST_ENGINE=d1)")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", CALLS)
class TestAnotherHostEndsIt:
    @pytest.fixture
    def call(self, name, folder):
        self.client = ApiClient.admin()
        UserFactory(admin=True)
        call = CALLS[name](self.client)
        ApiClient.approved().get("/api/auth/me")  # the copy is fresh
        return call

    def elsewhere(self, sql):
        """Change the database behind this host's back; return what it holds then."""
        session = connection.connection.session
        session.api.batch(session.database, [(sql, [str(self.client.user.pk)])])
        return stored()

    @pytest.mark.parametrize("how", SIGN_IN_ENDS)
    def test_and_nothing_is_written(self, call, how):
        before = self.elsewhere(SIGN_IN_ENDS[how])
        refused(call.made(self.client), 401, "token_revoked")
        assert stored() == before

    def test_a_demoted_admin_is_a_user_like_others(self, call):
        before = self.elsewhere(DEMOTED)
        response = call.made(self.client)
        if call.of_admins:
            refused(response, 403, "forbidden")
            assert stored() == before
        else:
            assert response.status_code == 200

    def test_and_as_long_as_it_does_not_the_call_is_made(self, call):
        assert call.made(self.client).status_code in (200, 201)
