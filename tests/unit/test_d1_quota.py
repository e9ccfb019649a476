"""How many calls to D1 this host made in the last five minutes."""

import pytest

from core import d1_quota
from d1backend.protocol.api import Api, request_sent


@pytest.fixture
def clock(monkeypatch, settings, tmp_path):
    settings.DATA = tmp_path
    moment = [1_800_000_000.0]
    monkeypatch.setattr(d1_quota.time, "time", lambda: moment[0])

    def forward(seconds):
        moment[0] += seconds

    return forward


def call(times=1):
    for _ in range(times):
        request_sent.send(Api)


def test_nothing_is_used_before_the_first_call(clock):
    assert d1_quota.used() == 0


def test_calls_count_for_five_minutes_and_no_longer(clock):
    call(3)
    clock(100)
    call(2)
    assert d1_quota.used() == 5
    clock(d1_quota.SECONDS - 100)
    assert d1_quota.used() == 2
    clock(100)
    assert d1_quota.used() == 0


def test_an_old_count_does_not_come_back_when_its_place_is_used_again(clock):
    call(7)
    clock(d1_quota.SECONDS)
    call()
    assert d1_quota.used() == 1


def test_a_call_goes_on_where_it_cannot_be_counted(clock, settings, tmp_path, caplog):
    settings.DATA = tmp_path / "nowhere"
    call()
    assert d1_quota.used() == 0
    assert "could not be counted" in caplog.text
