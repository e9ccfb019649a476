"""What a process keeps between requests shows no caller more, nor later, than the database does."""

import gc
import tracemalloc
from itertools import count

import pytest

from designs.fields import Status
from tests.api.client import ApiClient, refused
from tests.factories.designs import DesignFactory
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/api/designs"
LEFT_BEHIND = 20_000  # bytes of memory that a request may leave behind


def by_this_thread(call):
    return call()


def by_another_thread(call):
    """The answer to a call on connections of its own, as another worker of this host makes it."""
    return at_once(call)[0]


@pytest.fixture(params=[by_this_thread, by_another_thread])
def do(request):
    return request.param


@pytest.fixture
def admin():
    return ApiClient.admin()


def reading(client):
    """The client, once this process keeps what it knows of its caller."""
    for _ in range(2):
        assert client.get(LIST).status_code == 200
    return client


def ids(client, **query):
    return [design["id"] for design in client.get(LIST, **query).json()["items"]]


def test_a_rejected_user_is_refused_at_once(do, admin):
    phone = reading(ApiClient.approved())
    assert do(lambda: admin.post(f"/api/admin/users/{phone.user.pk}/reject", {})).status_code == 200
    refused(phone.get(LIST), 401, "token_revoked")


def test_a_token_that_was_signed_out_is_refused_at_once(do):
    phone = reading(ApiClient.approved())
    assert do(lambda: phone.post("/api/auth/logout")).status_code == 200
    refused(phone.get(LIST), 401, "token_revoked")


def test_a_demoted_admin_sees_no_drafts_at_once(do, admin):
    draft = DesignFactory(status=Status.DRAFT)
    other = reading(ApiClient.admin())
    assert ids(other, status="draft") == [draft.pk]
    body = {"is_admin": False}
    assert do(lambda: admin.put(f"/api/admin/users/{other.user.pk}", body)).status_code == 200
    assert ids(other, status="draft") == []


def test_others_do_not_see_what_the_same_address_shows_an_admin(admin):
    DesignFactory(status=Status.DRAFT)
    phone = reading(ApiClient.approved())
    assert len(ids(admin, status="draft")) == 1
    assert ids(phone, status="draft") == []


def test_a_list_has_what_was_published_since(do, admin):
    design = DesignFactory(status=Status.DRAFT)
    phone = reading(ApiClient.approved())
    body = {"status": "published"}
    assert do(lambda: admin.put(f"{LIST}/{design.pk}", body)).status_code == 200
    assert ids(phone) == [design.pk]


def test_a_bad_parameter_is_named_each_time():
    phone = reading(ApiClient.approved())
    for _ in range(2):
        assert "featured" in refused(phone.get(LIST, featured="perhaps"), 400, "invalid")


@pytest.mark.parametrize("host", ["testserver", "localhost"])
def test_each_host_name_has_its_own_addresses(host):
    DesignFactory()
    phone = reading(ApiClient.approved())
    answer = phone.http.get(LIST, headers={**phone.headers, "Host": host})
    assert answer.json()["items"][0]["image_url"].startswith(f"http://{host}/")


FRESH = count()  # each request of these tests asks something new


def fabrics():
    """As many values as fit an address."""
    number = next(FRESH)
    return {"fabric": ",".join(("Silk", *(f"{number:03}{value:03}" for value in range(1100)))), "per_page": 1}


def strange_names():
    number = next(FRESH)
    return {f"{number:03}{value:03}": "" for value in range(900)}


def words():
    """A search nearly as long as one may be; what is kept of each word is another matter."""
    return {"search": " ".join([str(next(FRESH)), *(f"word{word:02}s" for word in range(60))])}


@pytest.mark.parametrize("query", [fabrics, strange_names, words])
@pytest.mark.parametrize("address", [LIST, f"{LIST}/facets"])
def test_a_long_address_takes_little_memory_once_it_is_answered(query, address):
    DesignFactory.create_batch(2, fabric="Silk")
    phone = reading(ApiClient.approved())

    def memory_after(requests):
        for _ in range(requests):
            assert phone.get(address, **query()).status_code == 200
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    memory_after(3)
    tracemalloc.start()
    try:
        before = memory_after(3)
        assert memory_after(20) - before < 20 * LEFT_BEHIND
    finally:
        tracemalloc.stop()
