"""A 429 is told to every process of a host: none of them sends anything while it lasts."""

import os
import time
from types import SimpleNamespace

import pytest

from d1backend import RateLimited
from d1backend.protocol import rate_limit
from devtools import fault_plan as plans
from tests.d1.faults.conftest import ALIAS
from tests.d1.faults.models import Counter

pytestmark = pytest.mark.d1


@pytest.fixture
def of_host(connect, faulty, tmp_path):
    """A function that makes a connection of this host's; its processes share a folder."""

    def of_host(alias, **options):
        return connect(alias, faulty.settings_dict["NAME"], folder=tmp_path / "host", **options)

    return of_host


@pytest.fixture
def later(monkeypatch):
    """A function that lets the clock go on."""
    gone = []
    monkeypatch.setattr(rate_limit, "time", SimpleNamespace(time=lambda: time.time() + sum(gone)))
    return gone.append


def count(alias):
    return Counter.objects.using(alias).count()


def only_file(folder):
    (file,) = folder.glob("d1-blocked-*")
    return file


def test_no_process_of_a_host_sends_anything_before_the_block_has_passed(of_host, proxy, tmp_path):
    of_host("one")
    proxy.plan = plans.always(plans.rate_limited("300"))
    children = []
    for _ in range(4):
        go, release = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(release)
            os.read(go, 1)
            refused = 0
            for _ in range(50):
                try:
                    count("one")
                except RateLimited as error:
                    refused += 290 < error.retry_after <= 300
            os._exit(0 if refused == 50 else 1)
        os.close(go)
        children.append((child, release))
    with pytest.raises(RateLimited) as caught:
        count("one")
    assert caught.value.retry_after == 300
    for _, release in children:
        os.close(release)
    assert [os.waitpid(child, 0)[1] for child, _ in children] == [0] * 4
    assert proxy.count == 1
    assert only_file(tmp_path / "host").stat().st_mode & 0o777 == 0o600


def test_without_a_folder_the_connections_of_a_process_tell_each_other(connect, faulty, proxy):
    connect("other", faulty.settings_dict["NAME"])
    proxy.plan = plans.always(plans.rate_limited("300"))
    for alias in (ALIAS, "other", ALIAS):
        with pytest.raises(RateLimited, match="d1faults_counter") as caught:
            count(alias)
        assert 290 < caught.value.retry_after <= 300
    assert proxy.count == 1


def test_once_the_block_has_passed_d1_is_asked_again(of_host, proxy, later):
    of_host("one", retry_budget=0.1)
    proxy.plan = [plans.rate_limited("300")]
    with pytest.raises(RateLimited):
        count("one")
    later(299)
    with pytest.raises(RateLimited) as caught:
        count("one")
    assert 0 < caught.value.retry_after <= 1
    assert proxy.count == 1
    later(2)
    assert count("one") == 0
    assert proxy.count == 2


def test_a_block_that_fits_the_budget_is_waited_out_by_who_was_not_told_of_it(of_host, proxy, later):
    for alias in ("one", "other"):
        connection = of_host(alias)
        connection.ensure_connection()
        connection.connection.api._sleep = later
    proxy.plan = [plans.rate_limited("300")]
    with pytest.raises(RateLimited):
        count("one")
    later(295)
    assert count("other") == 0
    assert proxy.count == 2


def test_a_write_is_not_sent_either_and_surely_not_done(of_host, proxy, truth):
    of_host("one")
    proxy.plan = plans.always(plans.rate_limited("300"))
    for _ in range(2):
        with pytest.raises(RateLimited):
            Counter.objects.using("one").create(value=1)
    assert proxy.count == 1
    assert truth("SELECT count(*) FROM d1faults_counter") == [[0]]


def test_a_429_that_names_no_time_blocks_nobody(of_host, proxy, tmp_path):
    of_host("one")
    proxy.plan = [plans.rate_limited(None)]
    assert count("one") == 0
    assert not list((tmp_path / "host").glob("d1-blocked-*"))


def test_a_folder_that_cannot_be_written_is_no_failure(connect, faulty, proxy, tmp_path, caplog):
    (tmp_path / "file").write_text("")
    connect("one", faulty.settings_dict["NAME"], folder=tmp_path / "file" / "folder")
    proxy.plan = plans.always(plans.rate_limited("300"))
    for _ in range(2):
        with pytest.raises(RateLimited):
            count("one")
    assert proxy.count == 1
    assert "Other processes cannot be told" in caplog.text


def test_a_block_noted_before_the_clock_went_back_holds_nobody_up(of_host, proxy, tmp_path):
    of_host("one")
    proxy.plan = plans.always(plans.rate_limited("300"))
    with pytest.raises(RateLimited):
        count("one")
    rate_limit.forget()
    ahead = time.time() + 86_400
    os.utime(only_file(tmp_path / "host"), (ahead, ahead))
    proxy.plan = []
    assert count("one") == 0


def test_an_account_is_not_held_to_the_block_of_another(of_host, proxy):
    of_host("one")
    of_host("other", account_id="another-account")
    proxy.plan = [plans.rate_limited("300")]
    with pytest.raises(RateLimited):
        count("one")
    assert count("other") == 0
