"""What a process keeps between requests shows no caller more, nor later, than the database does."""

import pytest

from designs.fields import Status
from tests.api.client import ApiClient, refused
from tests.factories.designs import DesignFactory
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/api/designs"


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
