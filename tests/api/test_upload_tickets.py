"""Who may complete a presigned upload, and how long its address is good."""

import pytest

from accounts.models import User
from accounts.services import user_update
from tests.api.client import ApiClient, refused
from tests.factories.accounts import UserFactory
from tests.pictures import picture
from uploads.keys import incoming_key
from uploads.models import Image, PendingUpload

pytestmark = pytest.mark.django_db


def promised(client, data, category="designs"):
    query = {"content_type": "image/jpeg", "size": len(data), "category": category}
    return client.get("/api/upload/presigned-url", **query).json()


def put(store, client, promise, data):
    return store.send(client.http, promise["upload_url"], data, promise["headers"])


def complete(client, promise):
    return client.post("/api/upload/complete", {"object_key": promise["object_key"]})


def demote(client):
    user_update(UserFactory(admin=True), client.user.pk, is_admin=False)


@pytest.fixture
def data():
    return picture()


def test_a_demoted_admin_completes_no_picture_of_designs(image_store, data):
    client = ApiClient.admin()
    promise = promised(client, data)
    assert put(image_store, client, promise, data) == 200
    before = image_store.listed()
    demote(client)
    refused(complete(client, promise), 403, "forbidden")
    assert not Image.objects.exists()
    assert image_store.listed() == before


def test_nor_gets_one_back_that_they_completed(folder, data):
    client = ApiClient.admin()
    promise = promised(client, data)
    put(folder, client, promise, data)
    assert complete(client, promise).status_code == 200
    demote(client)
    refused(complete(client, promise), 403, "forbidden")


def test_but_may_complete_an_avatar(folder, data):
    client = ApiClient.admin()
    promise = promised(client, data, "avatars")
    put(folder, client, promise, data)
    demote(client)
    assert complete(client, promise).status_code == 200


def test_an_address_is_dead_after_the_completion(folder, data):
    client = ApiClient.admin()
    promise = promised(client, data)
    put(folder, client, promise, data)
    assert complete(client, promise).status_code == 200
    before = folder.listed()
    assert put(folder, client, promise, data) == 412
    assert folder.listed() == before
    assert client.delete(f"/api/upload/image/{promise['object_key']}").status_code == 200
    assert put(folder, client, promise, data) == 412
    assert incoming_key(promise["object_key"]) not in folder.listed()


def test_and_once_its_user_is_deleted(folder, data):
    client = ApiClient.admin()
    promise = promised(client, data)
    User.objects.get(pk=client.user.pk).delete()
    assert not PendingUpload.objects.exists()
    assert put(folder, client, promise, data) == 412
    assert folder.listed() == []


def test_what_is_shown_never_changes_after_the_completion(image_store):
    client, data = ApiClient.admin(), picture()
    promise = promised(client, data)
    put(image_store, client, promise, data)
    assert complete(client, promise).status_code == 200
    shown = image_store.read(promise["object_key"])
    put(image_store, client, promise, data[::-1])
    assert image_store.read(promise["object_key"]) == shown
    assert complete(client, promise).status_code == 200
    assert image_store.read(promise["object_key"]) == shown
