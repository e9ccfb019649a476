"""Liking designs: idempotent, exact, one's own."""

import threading

import pytest
from django.db import connection

from designs.models import Design, Favourite
from tests.api.client import ApiClient, refused
from tests.factories.accounts import UserFactory
from tests.factories.designs import DesignFactory, FavouriteFactory

FAVOURITES = "/api/designs/user/favorites"


def path(design):
    return f"/api/designs/{design.pk}/favorite"


@pytest.mark.django_db
def test_liking_and_unliking_are_idempotent_and_tell_the_count():
    design = DesignFactory()
    FavouriteFactory(design=design)
    reader = ApiClient.approved()

    for _ in range(2):
        body = reader.post(path(design)).json()
        assert (body["success"], body["is_favorite"], body["like_count"]) == (True, True, 2)
        assert body["message"]
    for _ in range(2):
        body = reader.delete(path(design)).json()
        assert (body["success"], body["is_favorite"], body["like_count"]) == (True, False, 1)
    assert Design.objects.get().like_count == Favourite.objects.count() == 1


@pytest.mark.django_db
def test_a_user_who_leaves_takes_his_likes_along():
    favourite = FavouriteFactory()
    favourite.user.delete()
    assert Design.objects.get().like_count == 0


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["draft", "archived"])
def test_what_a_user_cannot_see_he_cannot_like_or_unlike(status):
    favourite = FavouriteFactory(design__status=status)
    reader = ApiClient(favourite.user)
    refused(reader.delete(path(favourite.design)), 404, "not_found")
    refused(ApiClient.approved().post(path(favourite.design)), 404, "not_found")
    assert Favourite.objects.get() == favourite
    assert ApiClient.admin().post(path(favourite.design)).json()["like_count"] == 2


@pytest.mark.django_db
def test_strangers_have_no_favourites():
    design = DesignFactory()
    refused(ApiClient().post(path(design)), 401, "not_authenticated")
    refused(ApiClient().delete(path(design)), 401, "not_authenticated")
    refused(ApiClient().get(FAVOURITES), 401, "not_authenticated")


@pytest.mark.django_db
def test_favourites_are_a_page_of_ones_own_the_newest_first():
    reader = ApiClient.approved()
    first, second, third = DesignFactory.create_batch(3)
    hidden = DesignFactory()
    FavouriteFactory(design=first)
    for design in (second, hidden, third, first):
        reader.post(path(design))
    Design.objects.filter(pk=hidden.pk).update(status="archived")

    body = reader.get(FAVOURITES, per_page=2).json()

    assert [item["id"] for item in body["items"]] == [first.pk, third.pk]
    assert (body["total"], body["pages"]) == (3, 2)
    assert all(item["is_favorite"] for item in body["items"])
    assert [item["id"] for item in reader.get(FAVOURITES, per_page=2, page=2).json()["items"]] == [second.pk]


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["post", "delete"])
def test_a_like_costs_three_statements_with_the_sign_in(method, django_assert_num_queries):
    design, reader = DesignFactory(), ApiClient.approved()
    # On D1 itself, which a test's transaction asks, the statement looks the sign-in up.
    with django_assert_num_queries(2 if hasattr(connection, "round_trips") else 3):
        getattr(reader, method)(path(design))


@pytest.mark.django_db(transaction=True)
def test_the_count_is_exact_under_concurrent_calls():
    design = DesignFactory()
    readers = [ApiClient(user) for user in UserFactory.create_batch(8)]
    statuses = []

    def like_and_unlike(reader, likes):
        for method in ["post", "post", "delete", "post"] if likes else ["post", "delete", "delete"]:
            statuses.append(getattr(reader, method)(path(design)).status_code)
        connection.close()

    # Two threads for each user: the same like twice at once is still one.
    threads = [
        threading.Thread(target=like_and_unlike, args=(reader, index % 2 == 0))
        for index, reader in enumerate(readers)
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(statuses) == {200}
    design.refresh_from_db()
    assert design.like_count == Favourite.objects.filter(design=design).count()
