"""Hosts that ask as fast as they can, at a D1 that enforces its limit: none of them ever meets it."""

import os

import pytest
from django.db import connections

from d1backend import RateLimited
from d1backend.protocol import budget
from d1backend.protocol.budget import Spender, spending, wait_for_room
from devtools.fault_plan import RESET_AFTER, RateLimit
from tests.d1.faults.models import Counter

pytestmark = pytest.mark.d1

ALLOWANCE, HOSTS, PROCESSES = 60, 2, 2


@pytest.fixture
def of_host(connect, faulty, tmp_path, proxy):
    """A function that makes a connection of a host's; D1 enforces the allowance from then on."""

    def of_host(name, **options):
        alias = f"at-{name}"
        found = {"folder": tmp_path / name, "allowance": ALLOWANCE, "hosts": HOSTS, **options}
        connect(alias, faulty.settings_dict["NAME"], **found)
        proxy.rate = RateLimit(ALLOWANCE, 300)
        proxy.plan = None  # counts from here
        return alias

    yield of_host
    proxy.rate = None
    proxy.refused = 0


def hammer(alias, spender, times):
    """Read that many times; return how many reads were refused before they were sent."""
    refused = 0
    for _ in range(times):
        try:
            with spending(spender):
                Counter.objects.using(alias).count()
        except RateLimited as error:
            refused += error.own and error.retry_after > 0
    return refused


def test_d1_itself_never_refuses_the_processes_of_two_hosts(of_host, proxy):
    aliases = [of_host(f"host{host}") for host in range(HOSTS)]
    go, release = os.pipe()
    children = []
    for alias in aliases * PROCESSES:
        for spender in (Spender.WRITE, Spender.SYNC):
            child = os.fork()
            if child == 0:
                os.close(release)
                os.read(go, 1)
                os._exit(hammer(alias, spender, 40))
            children.append(child)
    os.close(go)
    os.close(release)
    refused = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert proxy.refused == 0
    assert proxy.count == ALLOWANCE
    assert sum(refused) == len(children) * 40 - ALLOWANCE


def test_a_fill_leaves_a_quarter_of_the_share_to_writes(of_host, proxy, truth):
    alias = of_host("one", hosts=1)
    assert hammer(alias, Spender.FILL, ALLOWANCE) == ALLOWANCE - ALLOWANCE * 3 // 4
    with spending(Spender.WRITE, "user 1"):
        Counter.objects.using(alias).create(value=1)
    assert truth("SELECT count(*) FROM d1faults_counter") == [[1]]
    assert proxy.refused == 0


def test_a_refused_write_was_not_sent(of_host, proxy, truth):
    alias = of_host("one")
    hammer(alias, Spender.REST, ALLOWANCE)
    sent = proxy.count
    with pytest.raises(RateLimited) as caught:
        Counter.objects.using(alias).create(value=1)
    assert caught.value.own
    assert proxy.count == sent
    assert truth("SELECT count(*) FROM d1faults_counter") == [[0]]


def test_what_became_of_a_lost_write_is_asked_even_then(of_host, proxy, truth):
    """The write takes the last room. The attempt that settles it, and the read of what it returned, find none."""
    alias = of_host("one", hosts=1, allowance=ALLOWANCE - 2)
    hammer(alias, Spender.SYNC, ALLOWANCE - 3)
    proxy.plan = [RESET_AFTER]
    with spending(Spender.SYNC):
        Counter.objects.using(alias).create(value=1)
    assert hammer(alias, Spender.SYNC, 1) == 1
    assert truth("SELECT count(*) FROM d1faults_counter") == [[1]]


def test_a_command_waits_instead(of_host, monkeypatch):
    alias = of_host("one")
    hammer(alias, Spender.REST, ALLOWANCE)
    monkeypatch.setattr(budget, "_waits", False)
    wait_for_room()
    waited = []

    def sleep(seconds):
        waited.append(seconds)
        # This clock stands still, so a second wait would not end either.
        monkeypatch.setattr(budget, "_waits", False)

    monkeypatch.setattr(connections[alias].connection.api, "_sleep", sleep)
    with pytest.raises(RateLimited):
        Counter.objects.using(alias).count()
    (seconds,) = waited
    assert 200 < seconds <= 320
