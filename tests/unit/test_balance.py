"""Workers that hold more connections than a sibling leave new ones to it, as long as it lives and is not slow."""

import pytest

from gallery_project.wire import balance
from gallery_project.wire.balance import FORGOTTEN, LIVES, PATIENCE, Place


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 10**12

        def monotonic_ns(self):
            return self.now

    monkeypatch.setattr(balance, "time", Clock())
    return balance.time


@pytest.fixture
def places(clock):
    found = [Place(), Place()]
    yield found
    for place in found:
        place.give_back()


def test_the_one_that_holds_more_leaves_connections_to_the_other(places):
    one, other = places
    one.say(1)
    other.say(0)
    assert one.should_leave(1)
    assert not other.should_leave(0)


def test_with_equal_numbers_both_accept(places):
    for place in places:
        place.say(4)
    assert not any(place.should_leave(4) for place in places)


def test_a_worker_that_has_not_started_or_is_stopping_does_not_count(places):
    one, other = places
    one.say(4)
    assert not one.should_leave(4)
    other.say(0)
    other.withdraw()
    assert not one.should_leave(4)


def test_a_worker_that_hangs_does_not_count(places, clock):
    one, other = places
    other.say(0)
    clock.now += LIVES
    one.say(4)
    assert not one.should_leave(4)


def test_patience_with_a_slow_worker_ends_and_begins_anew(places, clock):
    one, other = places
    other.say(0)
    waited = 0
    while one.should_leave(4):
        clock.now += FORGOTTEN // 2
        waited += FORGOTTEN // 2
    assert PATIENCE <= waited <= PATIENCE + FORGOTTEN
    clock.now += 2 * FORGOTTEN
    assert one.should_leave(4)


@pytest.mark.parametrize(
    ("held", "others", "surplus"), [(8, 0, 4), (5, 4, 0), (4, 4, 0), (3, 9, 0), (7, 4, 1)]
)
def test_what_is_over_half_the_difference_is_given_away(places, held, others, surplus):
    one, other = places
    one.say(held)
    other.say(others)
    assert one.surplus(held) == surplus


def test_nothing_is_given_away_without_a_living_sibling(places):
    places[0].say(8)
    assert places[0].surplus(8) == 0


def test_a_place_is_used_again(clock):
    first = Place()
    number = first.number
    first.say(0)
    first.give_back()
    assert number in balance.free
    second = Place()
    assert not second.should_leave(1)
    second.give_back()


def test_without_a_free_place_a_worker_accepts_what_it_can(monkeypatch, places):
    monkeypatch.setattr(balance, "free", [])
    place = Place()
    place.say(3)
    assert not place.should_leave(3)
    place.give_back()
