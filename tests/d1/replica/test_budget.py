"""A host without room for a sync: that is no outage. Reads use the copy, and writes go on."""

from d1backend.errors import RateLimited
from d1backend.options import settings_of
from d1backend.protocol.budget import Spender, budget_of, spending
from d1backend.replica import outage, status
from tests.d1.replica.models import Design
from tests.d1.replica.test_freshness import NEW, age, titles, until

ALLOWANCE = 200


def spend(host, spender, calls):
    budget = budget_of(settings_of(host.source, host.connection.settings_dict))
    with spending(spender):
        for _ in range(calls):
            try:
                budget.take()
            except RateLimited:
                return


def limited(new_host):
    host = new_host("limited", patience={"allowance": ALLOWANCE})
    host.sync()
    return host


def syncs(proxy):
    return [request for request, _ in proxy.log if request.sql[0].startswith("SELECT epoch, floor")]


def test_syncs_that_used_their_part_wait_and_reads_and_writes_go_on(d1, installed, new_host, proxy):
    host = limited(new_host)
    spend(host, Spender.SYNC, ALLOWANCE * 3 // 10)
    d1(NEW.format("theirs"))
    age(host, 3000)
    proxy.plan = []
    assert titles(host.replica) == []
    until(lambda: host.host.sync_thread.in_backoff)
    assert syncs(proxy) == []
    assert outage(host.replica) is None
    assert not status(host.replica)["degraded"]
    with spending(Spender.WRITE, "user 1"):
        Design.objects.using(host.source).create(title="ours", body="", view_count=0, weight=0)
    assert len(proxy.log) == 1


def test_syncs_continue_while_writes_are_refused(d1, installed, new_host, proxy):
    host = limited(new_host)
    for spender in (Spender.REST, Spender.WRITE):
        spend(host, spender, ALLOWANCE)
    d1(NEW.format("theirs"))
    age(host, 3000)
    until(lambda: titles(host.replica) == ["theirs"])
