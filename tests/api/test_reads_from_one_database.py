"""An answer comes from one database: from this host's copy, or from D1, whatever becomes of the copy meanwhile."""

import pytest
from django.db import connection

from core import replica
from tests.api.client import ApiClient
from tests.factories.designs import DesignFactory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not replica.is_used(), reason="only D1 has a copy (TEST_ENGINE=d1)"),
]


def test_a_request_that_begins_at_d1_ends_there(monkeypatch):
    DesignFactory(category="Saree")
    reader = ApiClient.approved()
    reader.get("/api/designs/facets")  # the copy can be read
    session = connection.connection.session
    session.api.batch(
        session.database, [("UPDATE designs SET category = 'Kurta'", [])]
    )  # as another host does
    monkeypatch.setattr(replica, "reads_ask_d1", lambda: True)  # the copy became readable since
    found = reader.get("/api/designs/facets").json()
    assert [one["value"] for one in found["facets"]["category"]] == ["Kurta"]
