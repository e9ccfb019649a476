"""A write whose answer was lost: run again if D1 says that it is not stored, and never if it may be."""

import pytest
from django.db import OperationalError

from d1backend import OutcomeUnknown
from designs import services
from designs.models import Favourite
from tests.api.client import ApiClient
from tests.factories.designs import DesignFactory

pytestmark = pytest.mark.django_db(transaction=True)
D1_AWAY = OperationalError("D1 cannot be reached")


@pytest.fixture
def lose(monkeypatch):
    """A function that loses the answers to the next writes of a favourite; `stored` is what D1 says of each."""
    real = services.favourite_add

    def lose(*stored, done):
        left = list(stored)

        def favourite_add(*args):
            if not left:
                return real(*args)
            if done:
                real(*args)
            fate = left.pop(0)

            def ask():
                if isinstance(fate, Exception):
                    raise fate
                return fate

            error = OutcomeUnknown("the answer was lost")
            error.ask = ask
            raise error

        monkeypatch.setattr(services, "favourite_add", favourite_add)

    return lose


def add():
    design = DesignFactory()
    return ApiClient.approved().post(f"/api/designs/{design.pk}/favorite")


def test_a_write_that_is_not_stored_is_run_again(lose):
    lose(False, False, done=False)
    assert add().status_code == 200
    assert Favourite.objects.count() == 1


@pytest.mark.parametrize("stored", [True, D1_AWAY], ids=["stored", "unknown"])
def test_a_write_that_may_be_stored_is_not_run_again(lose, stored):
    lose(stored, done=True)
    response = add()
    assert (response.status_code, response.json()["code"]) == (503, "outcome_unknown")
    assert Favourite.objects.count() == 1


def test_a_write_that_is_never_stored_is_unavailable(lose):
    lose(*[False] * 20, done=False)
    response = add()
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert response["Retry-After"]
    assert not Favourite.objects.exists()
