"""What a call costs on D1, where a round trip is what counts."""

import pytest
from django.db import connection

from tests.api.client import ApiClient
from tests.factories.designs import DesignFactory
from tests.factories.uploads import ImageFactory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not hasattr(connection, "round_trips"), reason="only D1 has round trips (TEST_ENGINE=d1)"
    ),
]


@pytest.mark.parametrize(
    ("call", "reads", "writes"),
    [
        (lambda client, path, key: client.get("/api/designs"), 3, 0),
        (lambda client, path, key: client.get(path), 2, 0),
        (lambda client, path, key: client.post(f"{path}/favorite"), 2, 1),
        (lambda client, path, key: client.delete(f"{path}/favorite"), 2, 1),
        (lambda client, path, key: client.put(path, {"title": "New"}), 2, 1),
        (lambda client, path, key: client.post("/api/designs", {
            "title": "New", "category": "Saree", "r2_object_key": key,
        }), 2, 1),
    ],
    ids=["list", "detail", "favourite", "unfavourite", "update", "create"],
)  # fmt: skip
def test_a_write_is_one_round_trip_and_reads_are_few(call, reads, writes):
    path, key, client = f"/api/designs/{DesignFactory().pk}", ImageFactory().object_key, ApiClient.admin()
    call(client, path, key)  # the first reserves a block of new keys
    before = connection.round_trips
    call(client, path, key)
    assert connection.round_trips - before <= reads + writes
