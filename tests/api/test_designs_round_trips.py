"""What a call costs on D1, where a round trip is what counts."""

import pytest
from django.db import connection
from django.utils import timezone

from core import app_settings, replica
from core.models import AuditEntry
from d1backend.replica import on_primary
from designs.models import DailyCount, Favourite
from tests.api.client import ApiClient
from tests.factories.designs import DailyCountFactory, DesignFactory, FavouriteFactory
from tests.factories.uploads import ImageFactory
from tests.pictures import picture
from uploads.models import Image, PendingUpload

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not hasattr(connection, "round_trips"), reason="only D1 has round trips (TEST_ENGINE=d1)"
    ),
]

# Path, and what it costs where there is no replica: who asks, and all that he asks for together.
READS = {
    "/api/auth/me": 1,
    "/api/auth/sessions": 2,
    "/api/designs": 2,
    "/api/designs?category=Saree&sort=popular": 2,
    "/api/designs?search=silk": 2,
    "/api/designs/facets": 2,
    "/api/designs/featured": 2,
    "/api/designs/user/favorites": 2,
    "/api/designs/{id}": 2,
    "/api/designs/{id}/similar": 3,
    "/api/admin/analytics": 2,
    "/api/admin/users": 2,
    "/api/admin/users/pending": 2,
    "/api/admin/settings": 2,
    "/api/upload/images": 2,
}


@pytest.fixture
def cost():
    def cost(call):
        before = connection.round_trips
        response = call()
        assert response.status_code in (200, 201), response.content
        return connection.round_trips - before

    return cost


@pytest.mark.parametrize("path", READS)
def test_a_read_is_no_round_trip_with_the_replica_and_few_without(path, cost):
    client, path_of_one = ApiClient.admin(), path.format(id=DesignFactory().pk)
    client.get(path_of_one)
    if replica.is_used():
        assert cost(lambda: client.get(path_of_one)) == 0
    with on_primary():
        assert cost(lambda: client.get(path_of_one)) <= READS[path]


@pytest.mark.parametrize(
    "call",
    [
        lambda client, path, key: client.post(f"{path}/favorite"),
        lambda client, path, key: client.delete(f"{path}/favorite"),
        lambda client, path, key: client.put(path, {"title": "New"}),
        lambda client, path, key: client.post(
            "/api/designs", {"title": "New", "category": "Saree", "r2_object_key": key}
        ),
    ],
    ids=["favourite", "unfavourite", "update", "create"],
)
def test_a_write_is_one_round_trip(call, cost):
    path, key, client = f"/api/designs/{DesignFactory().pk}", ImageFactory().object_key, ApiClient.admin()
    call(client, path, key)  # the first reserves a block of new keys
    if replica.is_used():
        assert cost(lambda: call(client, path, key)) == 1
    with on_primary():
        assert cost(lambda: call(client, path, key)) <= 3


def test_a_deletion_is_one_round_trip_with_its_favourites_counts_and_audit_line(cost):
    client, design = ApiClient.admin(), FavouriteFactory().design
    DailyCountFactory(design=design, day=timezone.now().date())
    client.get("/api/auth/me")
    assert cost(lambda: client.delete(f"/api/designs/{design.pk}")) <= (1 if replica.is_used() else 3)
    assert not Favourite.objects.exists()
    assert not DailyCount.objects.exists()
    assert AuditEntry.objects.get().action == "design.delete"


def test_settings_are_one_round_trip_with_their_audit_lines(cost):
    client = ApiClient.admin()

    def put(**values):
        return client.put("/api/admin/settings", {"settings": values})

    put(registration_open=False, support_contact="a")  # stores their rows
    lines = AuditEntry.objects.count()
    client.get("/api/auth/me")
    most = 1 if replica.is_used() else 3
    assert cost(lambda: put(registration_open=True, support_contact="b")) <= most
    assert AuditEntry.objects.count() == lines + 2
    assert cost(lambda: put(registration_open=True, support_contact="b")) <= most
    assert AuditEntry.objects.count() == lines + 2
    assert app_settings.get("support_contact") == "b"


def test_the_completion_of_an_upload_is_one_round_trip(cost, folder):
    client, data = ApiClient.admin(), picture()

    def put():
        sent = {"content_type": "image/jpeg", "size": len(data)}
        promise = client.get("/api/upload/presigned-url", **sent).json()
        assert folder.send(client.http, promise["upload_url"], data, promise["headers"]) == 200
        return {"object_key": promise["object_key"]}

    client.post("/api/upload/complete", put())  # reserves a block of new keys
    sent = put()
    assert cost(lambda: client.post("/api/upload/complete", sent)) <= (1 if replica.is_used() else 3)
    assert Image.objects.count() == 2
    assert not PendingUpload.objects.exists()
