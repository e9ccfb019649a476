"""Who may spend how much of a host's share of D1's calls. The clock is the test's own."""

from types import SimpleNamespace

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from d1backend import RateLimited
from d1backend.options import ALLOWANCE, Settings, settings_of
from d1backend.protocol import budget as budgets
from d1backend.protocol.budget import Budget, Spender, spending
from d1backend.protocol.ledger import WINDOW, Ledger
from d1backend.replica.options import options_of

START = 1_800_000_000.0
SYNC_PERIOD = 1.5  # of a host with max_age 2


class Clock:
    def __init__(self):
        self.now = START

    def time(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(budgets, "time", SimpleNamespace(time=clock.time))
    return clock


def new_budget(hosts=1, allowance=ALLOWANCE, sync_period=SYNC_PERIOD, folder=None):
    settings = Settings("a", "t", allowance=allowance, hosts=hosts, sync_period=sync_period)
    return Budget(settings, Ledger("an account", folder))


def take(budget, spender, times=1, user=""):
    """Take that many calls; return how many were allowed."""
    allowed = 0
    for _ in range(times):
        with spending(spender, user):
            try:
                budget.take()
            except RateLimited:
                continue
            allowed += 1
    return allowed


def refusal(budget, spender, user=""):
    with spending(spender, user), pytest.raises(RateLimited) as caught:
        budget.take()
    assert caught.value.own
    return caught.value.retry_after


def test_a_fill_leaves_a_quarter(clock):
    budget = new_budget()
    assert take(budget, Spender.FILL, 1200) == 900
    assert take(budget, Spender.WRITE, 1200) > 0
    assert take(budget, Spender.SYNC, 1200) > 0
    assert budget.used() == 1200


@pytest.mark.parametrize(("hosts", "fill"), [(1, 900), (4, 225), (20, 45)])
def test_a_fill_has_three_quarters_of_its_hosts_share(clock, hosts, fill):
    assert take(new_budget(hosts), Spender.FILL, 1200) == fill


def test_each_lower_class_stops_earlier(clock):
    """With the syncs' 200 set apart, 1,000 are left for the three."""
    assert take(new_budget(), Spender.REST, 1200) == 750
    assert take(new_budget(), Spender.STAFF, 1200) == 900
    assert take(new_budget(), Spender.WRITE, 1200) == 800
    budget = new_budget()
    assert [take(budget, s, 1200) for s in (Spender.REST, Spender.STAFF, Spender.WRITE)] == [750, 150, 100]


def test_syncs_go_on_while_everything_else_is_refused(clock):
    budget = new_budget()
    for spender in (Spender.REST, Spender.STAFF, Spender.WRITE):
        take(budget, spender, 1200)
    assert take(budget, Spender.WRITE) == 0
    assert budget.seconds_to_sync() == 0
    assert take(budget, Spender.SYNC, 200) == 200


def test_syncs_begin_only_within_their_part(clock):
    budget = new_budget(hosts=4)
    assert take(budget, Spender.SYNC, 90) == 90
    assert 290 <= budget.seconds_to_sync() <= 310
    assert take(budget, Spender.SYNC) == 1  # a sync that has begun is not cut off
    clock.now += budget.seconds_to_sync()
    assert budget.seconds_to_sync() == 0


def test_retry_after_is_when_the_class_has_room_again(clock):
    budget = new_budget()
    take(budget, Spender.REST, 1200)
    wait = refusal(budget, Spender.REST)
    assert WINDOW - 10 <= wait <= WINDOW + 10
    clock.now += wait - 1
    assert take(budget, Spender.REST) == 0
    clock.now += 1
    assert take(budget, Spender.REST) == 1


def test_one_user_cannot_take_what_others_need(clock):
    budget = new_budget()
    assert take(budget, Spender.WRITE, 1000, "user 1") == 150
    assert 0 < refusal(budget, Spender.WRITE, "user 1") <= 2.0
    assert take(budget, Spender.WRITE, 1, "user 2") == 1
    assert take(budget, Spender.REST, 1, "user 1") == 1  # another class, another bucket
    allowed = 150
    for _ in range(int(WINDOW) - 1):
        clock.now += 1
        allowed += take(budget, Spender.WRITE, 5, "user 1")
    assert 290 <= allowed <= 300


def test_a_lost_write_is_always_settled(clock):
    budget = new_budget()
    take(budget, Spender.REST, 1200)
    with budgets.after_write():
        budget.take()
    assert budget.used() == 751


def test_a_refused_call_is_not_counted(clock):
    budget = new_budget()
    take(budget, Spender.REST, 1200)
    before = budget.used()
    assert take(budget, Spender.REST, 50) == 0
    assert budget.used() == before


def test_without_an_allowance_calls_are_only_counted(clock):
    budget = new_budget(allowance=0)
    assert take(budget, Spender.REST, 3000, "user 1") == 3000
    assert (budget.used(), budget.share) == (3000, 0)


def test_processes_of_a_host_share_one_budget(clock, tmp_path):
    one, two = new_budget(folder=tmp_path), new_budget(folder=tmp_path)
    assert take(one, Spender.REST, 400) + take(two, Spender.REST, 400) == 750


class TestHeaders:
    def test_what_others_took_of_the_account_is_not_there_for_this_host(self, clock):
        budget = new_budget()
        budget.note({"Ratelimit": '"default";r=100;t=60', "Ratelimit-Policy": '"default";q=1200;w=300'})
        assert take(budget, Spender.SYNC, 1200) == 100
        assert 0 < refusal(budget, Spender.SYNC) <= 70
        clock.now += 61
        assert take(budget, Spender.SYNC, 1200) == 1100

    def test_hosts_share_what_is_left(self, clock):
        budget = new_budget(hosts=2)
        budget.note({"Ratelimit": '"default";r=100;t=60'})
        assert take(budget, Spender.SYNC, 1200) == 50

    def test_a_lower_limit_counts(self, clock):
        budget = new_budget()
        budget.note({"Ratelimit-Policy": '"default";q=100;w=60'})
        assert budget.share == 500
        assert take(budget, Spender.FILL, 1200) == 375

    def test_a_limit_that_d1_states_counts_where_none_is_configured(self, clock):
        budget = new_budget(allowance=0)
        budget.note({"Ratelimit-Policy": '"default";q=1200;w=300'})
        assert take(budget, Spender.FILL, 1200) == 900

    def test_a_higher_limit_is_not_taken_on_trust(self, clock):
        budget = new_budget()
        budget.note({"Ratelimit-Policy": '"default";q=9000;w=300'})
        assert budget.share == 1200

    def test_the_limit_of_a_second_for_an_address_is_another_matter(self, clock):
        budget = new_budget()
        budget.note({"Ratelimit": '"default";r=900;t=200, "ip";r=3;t=1',
                     "Ratelimit-Policy": '"default";q=1200;w=300, "ip";q=200;w=1'})  # fmt: skip
        assert budget.share == 1200
        assert take(budget, Spender.SYNC, 1200) == 900

    def test_the_older_headers_count(self, clock):
        budget = new_budget()
        budget.note({"X-RateLimit-Limit": "1200", "X-RateLimit-Remaining": "7"})
        assert take(budget, Spender.SYNC, 1200) == 7

    @given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=20))
    def test_nonsense_is_ignored(self, state, policy, remaining):
        budget = new_budget()
        budget.note({"Ratelimit": state, "Ratelimit-Policy": policy, "X-RateLimit-Remaining": remaining})

    @pytest.mark.parametrize(
        "text", ['"d";r=-1;t=5', '"d";r=1.5;t=5', '"d";r=5', "r=5;t=5", ";;;", '"d";q=0;w=0', "٣"]
    )
    def test_what_is_malformed_changes_nothing(self, clock, text):
        budget = new_budget()
        budget.note({"Ratelimit": text, "Ratelimit-Policy": text, "X-RateLimit-Remaining": text})
        assert take(budget, Spender.FILL, 1200) == 900


USERS = st.sampled_from(["", "user 1", "user 2"])
MOVES = st.lists(
    st.tuples(st.sampled_from(list(Spender)), st.integers(1, 40), st.floats(0, 40), USERS), max_size=60
)


@given(MOVES, st.sampled_from([2, 4, 20]))
@hypothesis_settings(deadline=None, max_examples=60)
def test_no_five_minutes_see_more_than_the_share(moves, hosts):
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(budgets, "time", SimpleNamespace(time=clock.time))
        budget, sent = new_budget(hosts), []
        for spender, times, pause, user in moves:
            clock.now += pause
            sent += [clock.now] * take(budget, spender, times, user)
    share = ALLOWANCE / hosts
    assert all(sum(1 for at in sent if start <= at <= start + WINDOW) <= share for start in sent)


class TestSettings:
    ENTRY = {"NAME": "x", "OPTIONS": {"account_id": "a", "api_token": "t"}}

    def entry(self, **options):
        return {"NAME": "x", "OPTIONS": {"account_id": "a", "api_token": "t", **options}}

    def test_cloudflares_limit_is_the_default_and_other_servers_have_none(self):
        assert settings_of("x", self.entry()).allowance == ALLOWANCE
        assert settings_of("x", self.entry(base_url="http://127.0.0.1/client/v4")).allowance == 0

    @pytest.mark.parametrize("wrong", [{"hosts": 0}, {"hosts": 1.5}, {"hosts": "2"}, {"allowance": -1}])
    def test_other_values_are_refused(self, wrong):
        with pytest.raises(ImproperlyConfigured, match=next(iter(wrong))):
            settings_of("x", self.entry(**wrong))

    @pytest.mark.parametrize(("hosts", "max_age"), [(1, 2.0), (2, 2.22), (4, 4.44), (20, 22.22)])
    def test_the_period_of_syncs_stretches_with_the_hosts(self, monkeypatch, hosts, max_age):
        from django.db import connections

        monkeypatch.setitem(connections.settings, "here", self.entry(hosts=hosts))
        options = options_of("copy", {"NAME": "x", "OPTIONS": {"source": "here", "tables": ["t"]}})
        assert options.max_age == pytest.approx(max_age, abs=0.01)
