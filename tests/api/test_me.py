"""GET and PUT /api/auth/me"""

import pytest

from tests.api.client import ApiClient, refused
from tests.factories.uploads import ImageFactory

pytestmark = pytest.mark.django_db

PATH = "/api/auth/me"
OWN = "avatars/2026/01/1769850000_own.webp"


@pytest.fixture
def client():
    return ApiClient.approved()


def test_one_sees_oneself(client, django_assert_num_queries):
    with django_assert_num_queries(2):  # the sign-in, and what no copy holds
        response = client.get(PATH)
    assert response.status_code == 200
    assert response.json() == {
        "id": client.user.pk,
        "username": client.user.username,
        "is_admin": False,
        "is_approved": True,
        "created_at": client.user.created_at.isoformat().replace("+00:00", "Z"),
        "avatar_url": None,
        "full_name": None,
        "contact": None,
    }


def test_strangers_are_asked_to_sign_in():
    refused(ApiClient().get(PATH), 401, "not_authenticated")
    refused(ApiClient().put(PATH, {}), 401, "not_authenticated")


def test_another_method_is_refused(client):
    refused(client.post(PATH), 405, "method_not_allowed")


class TestTheAvatar:
    @pytest.fixture(autouse=True)
    def _one_image_is_an_own_avatar(self, client):
        ImageFactory(object_key=OWN, category="avatars", uploaded_by=client.user)

    def test_is_set_by_its_key_and_shown_by_an_absolute_address(self, client):
        url = client.put(PATH, {"avatar_object_key": OWN}).json()["avatar_url"]
        assert url.startswith("http")
        assert url.endswith(OWN)
        assert client.get(PATH).json()["avatar_url"] == url

    @pytest.mark.parametrize("nothing", [None, "", "  "])
    def test_is_removed_by_nothing(self, client, nothing):
        client.put(PATH, {"avatar_object_key": OWN})
        assert client.put(PATH, {"avatar_object_key": nothing}).json()["avatar_url"] is None

    def test_stays_when_it_is_not_spoken_of(self, client):
        client.put(PATH, {"avatar_object_key": OWN})
        assert client.put(PATH, {"is_admin": True, "username": "boss"}).json()["avatar_url"]
        assert client.get(PATH).json()["is_admin"] is False

    @pytest.mark.parametrize(
        "key", ["avatars/2026/01/1_others.webp", "../../etc/passwd", "x" * 256, 5, [], "a\0b"]
    )
    def test_must_be_an_own_image(self, client, key):
        client.put(PATH, {"avatar_object_key": OWN})
        response = client.put(PATH, {"avatar_object_key": key})
        assert list(refused(response, 400, "invalid")) == ["avatar_object_key"]
        assert client.get(PATH).json()["avatar_url"].endswith(OWN)
