"""What a call costs on D1, where a round trip is what counts."""

import time
from functools import partial

import pytest
from django.db import connection
from django.utils import timezone

from accounts import selectors
from accounts.models import SignIn, User
from core import app_settings, replica
from core.models import AuditEntry
from d1backend.replica import on_primary
from designs import known_synonyms, readings
from designs.fields import LIVE_STATUSES
from designs.known_words import Held
from designs.models import DailyCount, Favourite
from designs.search.vocabulary import Vocabulary
from tests.api.client import ApiClient, refused
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

# The paths whose reads cost one where there is no replica, with the sign-in; and those that cost two.
READS = [
    "/api/auth/me",
    "/api/auth/sessions",
    "/api/designs",
    "/api/designs?category=Saree&sort=popular",
    "/api/designs?search=silk",
    "/api/designs?search=design",
    "/api/designs?search=silk&match=all",
    "/api/designs/facets",
    "/api/designs/facets?search=design",
    "/api/designs/featured",
    "/api/designs/suggest?q=silk",
    "/api/designs/user/favorites",
    "/api/designs/{id}",
    "/api/designs/{id}/similar",
    "/api/admin/analytics",
    "/api/admin/users",
    "/api/admin/users/pending",
    "/api/admin/settings",
    "/api/upload/images",
    "/info",
]
# By cursor, from the list of three designs.
CURSORS = [
    "/api/designs",
    "/api/designs?category=Saree&sort=popular",
    "/api/designs?sort=most_viewed",
    "/api/designs?sort=title&ids={ids}",
    "/api/designs?search=design",
    "/api/designs/featured",
    "/api/designs/user/favorites",
]
# Where no index has the order, the ids of all that is found are read first.
CURSORS_OF_TWO = ["/api/designs?search=design", "/api/designs/featured"]
# They show full names and contacts, which are not copied.
READS_OF_DETAILS = ["/api/auth/me", "/api/admin/users"]
# It reads the design, and then what is like it.
READS_OF_TWO = ["/api/designs/{id}/similar"]


@pytest.fixture
def cost():
    def cost(call):
        before = connection.round_trips
        response = call()
        assert response.status_code in (200, 201), response.content
        return connection.round_trips - before

    return cost


@pytest.mark.parametrize("path", READS)
def test_a_read_is_no_round_trip_with_the_replica_and_one_without(path, cost, monkeypatch):
    now = selectors.this_second()  # a second that ends while the sessions are read takes one more
    monkeypatch.setattr(selectors, "this_second", lambda: now)
    client, path_of_one = ApiClient.admin(), path.format(id=DesignFactory().pk)
    client.get(path_of_one)
    if replica.is_used():
        assert cost(lambda: client.get(path_of_one)) == (1 if path in READS_OF_DETAILS else 0)
    with on_primary():
        assert cost(lambda: client.get(path_of_one)) == (2 if path in READS_OF_TWO else 1)


# Of a search that plain words do not find: it is asked a second time, in a new process too.
CORRECTED = [
    "/api/designs?search=kanjeevaram",
    "/api/designs?search=kanjeevaram&sort=popular&category=saree",
    "/api/designs?search=kanjeevaram+price",
    "/api/designs/facets?search=kanjeevaram",
]


@pytest.mark.parametrize("path", CORRECTED)
def test_a_corrected_search_costs_one_round_trip_more_and_none_with_the_replica(path, cost, monkeypatch):
    now = selectors.this_second()
    monkeypatch.setattr(selectors, "this_second", lambda: now)
    client = ApiClient.admin()
    DesignFactory.create_batch(2, title="Kanjivaram saree")
    DesignFactory(title="Kurta")

    def found():
        body = client.get(path).json()
        assert body["total"] == 2
        assert path.startswith("/api/designs/facets") or len(body["items"]) == 2

    found()
    if replica.is_used():
        assert cost(lambda: client.get(path)) == 0
    with on_primary():
        found()
        known_synonyms.synonyms_held.__self__.__init__()
        readings.vocabularies.held.clear()
        assert cost(lambda: client.get(path)) == 2
        assert cost(lambda: client.get(path)) == 2
        DesignFactory(title="Kanjivaram lehenga", status="draft")
        assert cost(lambda: client.get(path)) == 2


def test_what_plain_words_find_reads_no_words_for_corrections(cost):
    client, path = ApiClient.admin(), "/api/designs?search=kanjivaram&per_page=1"
    DesignFactory.create_batch(60, title="Kanjivaram saree")

    def rows_read():
        before = connection.usage
        assert client.get(path).json()["total"] == 60
        return connection.usage.since(before).rows_read

    with on_primary():
        client.get(path)
        readings.vocabularies.held.clear()
        without_words = rows_read()
        readings.vocabularies.keep(LIVE_STATUSES, Held("", Vocabulary([]), time.monotonic()))
        assert without_words < rows_read() + 40  # of sixty titles


@pytest.mark.parametrize("path", CURSORS)
def test_what_follows_a_cursor_costs_what_a_page_costs(path, cost):
    client = ApiClient.admin()
    designs = DesignFactory.create_batch(3, featured=True)
    for design in designs:
        FavouriteFactory(user=client.user, design=design)
    address = path.format(ids=",".join(str(design.pk) for design in designs))
    address += f"{'&' if '?' in path else '?'}per_page=1"
    following = f"{address}&after={client.get(address).json()['next']}"
    if replica.is_used():
        assert cost(lambda: client.get(following)) == 0
    with on_primary():
        assert cost(lambda: client.get(following)) == (2 if path in CURSORS_OF_TWO else 1)


@pytest.mark.parametrize(
    ("call", "without_replica"),
    [
        (lambda client, path, key: client.post(f"{path}/favorite"), 1),
        (lambda client, path, key: client.delete(f"{path}/favorite"), 1),
        (lambda client, path, key: client.put(path, {"title": "New"}), 3),
        (
            lambda client, path, key: client.post(
                "/api/designs", {"title": "New", "category": "Saree", "r2_object_key": key}
            ),
            3,
        ),
    ],
    ids=["favourite", "unfavourite", "update", "create"],
)
def test_a_write_is_one_round_trip(call, without_replica, cost):
    path, key, client = f"/api/designs/{DesignFactory().pk}", ImageFactory().object_key, ApiClient.admin()
    call(client, path, key)  # the first reserves a block of new keys
    if replica.is_used():
        assert cost(lambda: call(client, path, key)) == 1
    with on_primary():
        assert cost(lambda: call(client, path, key)) <= without_replica


class TestWithoutReplica:
    """Where D1 itself is asked for the sign-in, along with what the call does."""

    @pytest.fixture(autouse=True)
    def _on_primary(self):
        with on_primary():
            yield

    CALLS = {
        "read": lambda client, path: client.get(path),
        "list": lambda client, path: client.get("/api/admin/users"),
        "like": lambda client, path: client.post(f"{path}/favorite"),
        "unlike": lambda client, path: client.delete(f"{path}/favorite"),
    }

    @pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
    def test_one_whose_sign_in_has_ended_is_refused_and_does_nothing(self, call):
        client, design = ApiClient.admin(), FavouriteFactory().design
        FavouriteFactory(user=client.user)
        SignIn.objects.filter(user=client.user).update(ended_at=timezone.now())
        refused(call(client, f"/api/designs/{design.pk}"), 401, "token_revoked")
        assert Favourite.objects.count() == 2

    @pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
    def test_the_rights_are_those_of_the_database_and_not_those_of_the_token(self, call):
        client, draft = ApiClient.admin(), DesignFactory(status="draft")
        User.objects.filter(pk=client.user.pk).update(is_admin=False)
        assert call(client, f"/api/designs/{draft.pk}").status_code in (403, 404)
        assert not Favourite.objects.exists()
        User.objects.filter(pk=client.user.pk).update(is_admin=True)
        before = ApiClient(client.user)
        assert call(before, f"/api/designs/{draft.pk}").status_code == 200

    def test_a_signed_in_user_who_became_an_admin_is_one(self):
        client, draft = ApiClient.approved(), DesignFactory(status="draft")
        User.objects.filter(pk=client.user.pk).update(is_admin=True)
        for call in self.CALLS.values():
            assert call(client, f"/api/designs/{draft.pk}").status_code == 200

    def test_a_presigned_address_is_given_though_the_call_is_a_get(self, cost, folder):
        client = ApiClient.admin()
        call = partial(client.get, "/api/upload/presigned-url", content_type="image/jpeg", size=1000)
        call()
        assert cost(call) == 2
        assert PendingUpload.objects.count() == 2

    def test_a_view_is_counted_once(self, monkeypatch):
        seen = []
        monkeypatch.setattr("designs.counters.add_view", seen.append)
        design = DesignFactory()
        assert ApiClient.admin().get(f"/api/designs/{design.pk}").status_code == 200
        assert seen == [design.pk]


def test_pictures_are_one_round_trip(cost):
    keys = [image.object_key for image in ImageFactory.create_batch(8)]
    client, design = ApiClient.admin(), {"title": "New", "category": "Saree", "image_keys": keys}
    path = f"/api/designs/{client.post('/api/designs', design).json()['id']}"
    calls = [
        lambda: client.post("/api/designs", design),
        lambda: client.put(path, {"image_keys": keys[::-1]}),
        lambda: client.put(path, {"r2_object_key": keys[2]}),
        lambda: client.delete(path),
    ]
    for call in calls:
        assert cost(call) <= (1 if replica.is_used() else 3)


def test_the_deletion_of_an_image_is_one_round_trip(cost, folder):
    client, image = ApiClient.admin(), ImageFactory()
    client.get("/api/auth/me")
    assert cost(lambda: client.delete(f"/api/upload/image/{image.object_key}")) <= (
        1 if replica.is_used() else 3
    )


def test_a_deletion_is_one_round_trip_with_its_favourites_counts_and_audit_line(cost):
    client, design = ApiClient.admin(), FavouriteFactory().design
    DailyCountFactory(design=design, day=timezone.now().date())
    client.get("/api/auth/me")
    purge = f"/api/designs/{design.pk}?purge=true"
    assert cost(lambda: client.delete(purge)) <= (1 if replica.is_used() else 3)
    assert not Favourite.objects.exists()
    assert not DailyCount.objects.exists()
    assert AuditEntry.objects.get().action == "design.purge"


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
