"""GET /api/admin/users, /api/admin/users/pending and /api/admin/users/{id}"""

from datetime import UTC, datetime, timedelta

import pytest

from tests.api.client import ApiClient, refused
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db

PATH = "/api/admin/users"
MORNING = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)


@pytest.fixture
def admin():
    return ApiClient(UserFactory(username="Asha", admin=True))


def names(client, path=PATH, **query):
    response = client.get(path, **query)
    assert response.status_code == 200, response.json()
    return [item["username"] for item in response.json()["items"]]


def created(user, minutes):
    type(user).objects.filter(pk=user.pk).update(created_at=MORNING + timedelta(minutes=minutes))


def test_a_user_is_shown_with_what_staff_need(admin):
    user = UserFactory(rejected=True, reviewed_by=admin.user)
    shown = admin.get(f"{PATH}/{user.pk}").json()
    assert shown == {
        "id": user.pk,
        "username": user.username,
        "is_admin": False,
        "is_approved": False,
        "created_at": user.created_at.isoformat().replace("+00:00", "Z"),
        "avatar_url": None,
        "full_name": None,
        "contact": None,
        "state": "rejected",
        "rejection_reason": "Unknown to us",
        "reviewed_at": "2026-01-31T09:30:00Z",
        "reviewed_by": {"id": admin.user.pk, "username": "Asha"},
        "last_login": None,
    }
    assert admin.get(PATH).json()["items"][0] == shown


def test_a_page_costs_three_queries_whatever_its_size(admin, django_assert_num_queries):
    UserFactory.create_batch(30, reviewed_by=admin.user)
    for size in (1, 30):
        with django_assert_num_queries(3):
            assert len(admin.get(PATH, per_page=size).json()["items"]) == size


def test_pages_neither_repeat_nor_skip(admin):
    for user in UserFactory.create_batch(6):
        created(user, 0)
    created(admin.user, 0)
    seen = [name for page in (1, 2, 3) for name in names(admin, page=page, per_page=3)]
    assert len(seen) == len(set(seen)) == 7
    assert names(admin, page=4, per_page=3) == []
    body = admin.get(PATH, page=2, per_page=3).json()
    assert (body["total"], body["page"], body["per_page"], body["pages"]) == (7, 2, 3, 3)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("MEER", ["Meera"]),
        ("eer", ["Meera"]),
        (" meera ", ["Meera"]),
        ("देव", ["देवी"]),
        ("éto", ["ÉTOILE"]),
        ("_", ["per_cent"]),
        ("%", []),
        ("'; DROP", []),
        ("etoile", ["ÉTOILE"]),
        ("dev\u200di", []),
        ("x" * 3000, []),
        ("", ["per_cent", "ÉTOILE", "देवी", "Meera", "Asha"]),
    ],
)
def test_search_finds_a_plain_part_of_the_name_in_any_case(admin, search, found):
    for username in ("Meera", "देवी", "ÉTOILE", "per_cent"):
        UserFactory(username=username)
    assert names(admin, search=search) == found


def test_filters_narrow_the_list(admin):
    UserFactory(username="waiting", pending=True)
    UserFactory(username="declined", rejected=True)
    UserFactory(username="let_in")
    assert names(admin, state="pending") == ["waiting"]
    assert names(admin, state="rejected") == ["declined"]
    assert names(admin, state="approved") == ["let_in", "Asha"]
    assert names(admin, is_approved="false") == ["declined", "waiting"]
    assert names(admin, is_approved="True", is_admin="false") == ["let_in"]
    assert names(admin, is_admin="true") == ["Asha"]
    assert names(admin, state="pending", is_approved="true") == []
    assert names(admin, unknown="x", state="pending") == ["waiting"]


def test_the_list_can_be_sorted(admin):
    first, last = UserFactory(username="zari"), UserFactory(username="Bandhani", last_login=MORNING)
    created(first, 1)
    created(last, 3)
    created(admin.user, 2)
    type(last).objects.filter(pk=admin.user.pk).update(last_login=MORNING + timedelta(hours=1))
    assert names(admin) == names(admin, sort="newest") == ["Bandhani", "Asha", "zari"]
    assert names(admin, sort="oldest") == ["zari", "Asha", "Bandhani"]
    assert names(admin, sort="username") == ["Asha", "Bandhani", "zari"]
    assert names(admin, sort="last_login") == ["Asha", "Bandhani", "zari"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("state", "waiting"),
        ("state", ""),
        ("is_approved", "1"),
        ("is_admin", "maybe"),
        ("is_admin", ""),
        ("sort", "random"),
        ("search", "a\0b"),
        ("page", "0"),
        ("page", "x"),
        ("per_page", "101"),
    ],
)
def test_a_bad_value_is_named(admin, name, value):
    assert list(refused(admin.get(PATH, **{name: value}), 400, "invalid")) == [name]


def test_a_page_far_beyond_the_end_is_empty(admin):
    assert names(admin, page="9" * 20) == []


def test_the_queue_holds_the_undecided_longest_waiting_first(admin):
    waiting = [UserFactory(pending=True) for _ in range(3)]
    UserFactory(rejected=True)
    for user, minutes in zip(waiting, (2, 1, 3), strict=True):
        created(user, minutes)
    queue = names(admin, f"{PATH}/pending")
    assert queue == [waiting[1].username, waiting[0].username, waiting[2].username]
    assert admin.get(f"{PATH}/pending", per_page=2).json()["total"] == 3


@pytest.mark.parametrize("number", ["0", "999999", "9" * 30, "abc"])
def test_unknown_ids_are_not_found(admin, number):
    refused(admin.get(f"{PATH}/{number}"), 404, "not_found")


@pytest.mark.parametrize("path", [PATH, f"{PATH}/pending", f"{PATH}/1"])
def test_only_admins_may_look(path):
    refused(ApiClient().get(path), 401, "not_authenticated")
    refused(ApiClient.approved().get(path), 403, "forbidden")
