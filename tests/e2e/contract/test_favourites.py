"""Favourites: idempotent, exact in a crowd, newest first."""

import pytest
import requests

from tests.e2e.contract.calls import at_once, bearer
from tests.e2e.contract.shapes import DESIGN, FAVOURITE, granted, page_of, refused

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def crowd(join, reader):
    return [reader, *[join() for _ in range(4)]]


def favourites(person):
    return granted(
        person.client.get("/api/designs/user/favorites", params={"per_page": 100}), page_of(DESIGN)
    )["items"]


def test_liking_and_unliking_are_idempotent(reader, boss, design):
    path = f"/api/designs/{design['id']}"
    for method, liked in (
        ("POST", True),
        ("POST", True),
        ("DELETE", False),
        ("DELETE", False),
        ("POST", True),
    ):
        body = granted(reader.client.request(method, f"{path}/favorite"), FAVOURITE)
        assert (body["is_favorite"], body["like_count"]) == (liked, int(liked))
        seen = granted(reader.client.get(path), DESIGN)
        assert (seen["is_favorite"], seen["like_count"]) == (liked, int(liked))
    theirs = granted(boss.get(path), DESIGN)
    assert (theirs["is_favorite"], theirs["like_count"]) == (False, 1)


def test_the_count_is_exact_in_a_crowd(server, crowd, boss, design):
    path = f"/api/designs/{design['id']}"

    def call(method, person):
        return requests.request(
            method, f"{server.address}{path}/favorite", headers=bearer(person.token), json={}, timeout=60
        )

    def shown():
        return granted(boss.get(path), DESIGN)["like_count"]

    for method, expected in (("POST", 5), ("DELETE", 0)):
        answers = at_once([lambda p=person, m=method: call(m, p) for person in crowd * 4])
        bodies = [granted(answer, FAVOURITE) for answer in answers]
        assert {body["is_favorite"] for body in bodies} == {method == "POST"}
        assert all(0 <= body["like_count"] <= 5 for body in bodies)
        assert shown() == expected
    mixed = [lambda p=person, m=method: call(m, p) for person in crowd for method in ("POST", "DELETE") * 2]
    assert {answer.status_code for answer in at_once(mixed)} == {200}
    liking = sum(granted(person.client.get(path), DESIGN)["is_favorite"] for person in crowd)
    assert shown() == liking


def test_the_newest_favourite_comes_first(join, create):
    person = join()
    made = [create()["id"] for _ in range(3)]
    for number in (made[1], made[2], made[0]):
        granted(person.client.post(f"/api/designs/{number}/favorite"), FAVOURITE)
    granted(person.client.post(f"/api/designs/{made[1]}/favorite"), FAVOURITE)
    items = favourites(person)
    assert [one["id"] for one in items] == [made[0], made[2], made[1]]
    assert all(one["is_favorite"] for one in items)
    granted(person.client.delete(f"/api/designs/{made[2]}/favorite"), FAVOURITE)
    granted(person.client.post(f"/api/designs/{made[2]}/favorite"), FAVOURITE)
    assert [one["id"] for one in favourites(person)] == [made[2], made[0], made[1]]


def test_a_favourite_that_is_no_longer_published_is_not_shown(boss, reader, design):
    granted(reader.client.post(f"/api/designs/{design['id']}/favorite"), FAVOURITE)
    assert favourites(reader)[0]["id"] == design["id"]
    granted(boss.put(f"/api/designs/{design['id']}", json={"status": "archived"}), DESIGN)
    assert design["id"] not in [one["id"] for one in favourites(reader)]


def test_a_user_who_goes_takes_his_favourites_along(boss, join, design):
    person = join()
    path = f"/api/designs/{design['id']}"
    granted(person.client.post(f"{path}/favorite"), FAVOURITE)
    assert granted(boss.get(path), DESIGN)["like_count"] == 1
    granted(boss.delete(f"/api/admin/users/{person.id}"))
    assert granted(boss.get(path), DESIGN)["like_count"] == 0


def test_liking_nothing_is_a_404(reader):
    for method in ("POST", "DELETE"):
        for number in ("987654321", "abc", "9" * 30):
            refused(reader.client.request(method, f"/api/designs/{number}/favorite"), 404)
