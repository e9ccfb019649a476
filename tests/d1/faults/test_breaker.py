"""The breaker: while D1 does not answer, a host sends one call at a time, and fails the others at once."""

import errno
import os
import threading
import time
from types import SimpleNamespace

import pytest
from django.db import OperationalError, connections

from d1backend import OutcomeUnknown, OutOfReach, RateLimited
from d1backend.options import settings_of
from d1backend.protocol import breaker, breaker_state
from d1backend.protocol.api import Api
from devtools import fault_plan as plans
from tests.d1.faults.models import Counter

pytestmark = pytest.mark.d1


@pytest.fixture
def of_host(connect, faulty, tmp_path):
    """A function that makes a connection of a server of this host."""

    def of_host(alias, **options):
        options = {"folder": tmp_path / "host", "most_calls": 3, "timeout": 1.2, "retries": 0, **options}
        return connect(alias, faulty.settings_dict["NAME"], **options)

    return of_host


@pytest.fixture
def later(monkeypatch):
    """A function that lets the clock go on, or back."""
    gone = []
    clock = SimpleNamespace(time=lambda: time.time() + sum(gone), monotonic=time.monotonic, sleep=time.sleep)
    monkeypatch.setattr(breaker_state, "time", clock)
    monkeypatch.setattr(breaker, "time", clock)
    return gone.append


def count(alias="one"):
    return Counter.objects.using(alias).count()


def refused(alias="one"):
    with pytest.raises(OutOfReach) as caught:
        count(alias)
    return caught.value


def fails(alias="one"):
    with pytest.raises(OperationalError) as caught:
        count(alias)
    assert not isinstance(caught.value, OutOfReach)


def breaker_of(alias="one"):
    connection = connections[alias]
    return breaker.breaker_of(settings_of(alias, connection.settings_dict), connection.settings_dict["NAME"])


def api_of(alias):
    return Api(settings_of(alias, connections[alias].settings_dict))


def database_of(alias):
    return connections[alias].settings_dict["NAME"]


def at_once(number, ask):
    """Run `ask` in so many threads; return what each returned or raised."""
    start, results = threading.Barrier(number), []

    def run():
        start.wait()
        try:
            results.append(ask())
        except OperationalError as error:
            results.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_one_timeout_opens_it_and_the_next_call_after_the_pause_closes_it(of_host, proxy, later):
    of_host("one")
    proxy.plan = plans.always(plans.SLOW_BEFORE)
    fails()
    for _ in range(50):
        error = refused()
        assert 0 < error.retry_after <= 1
        assert "did not answer in 1.2 s" in str(error)
        assert "d1faults_counter" in str(error)
    assert proxy.count == 1
    proxy.plan = []
    refused()
    later(1)
    assert [count(), count()] == [0, 0]
    # A short question goes before the call that tries D1.
    assert next(request.sql for request, _ in proxy.log) == ["SELECT 1"]
    assert proxy.count == 3


@pytest.mark.parametrize("fault", [plans.UNAVAILABLE, plans.rate_limited(None), plans.RESET_BEFORE])
def test_a_failure_that_is_quick_opens_it_when_it_is_the_second_in_a_row(of_host, proxy, fault):
    of_host("one")
    proxy.plan = [fault, None, fault, fault]
    fails()
    assert count() == 0
    fails()
    fails()
    refused()
    assert proxy.count == 4


def test_a_server_that_refuses_connections_opens_it(of_host, proxy):
    of_host("one")
    proxy.go_down()
    fails()
    fails()
    proxy.come_up()
    refused()


def test_failures_at_the_same_time_are_one_failure(of_host, proxy):
    of_host("one")
    proxy.plan = lambda number, request: plans.RESET_BEFORE if number <= 3 else None
    proxy.latency = 0.3
    try:
        results = at_once(3, count)
    finally:
        proxy.latency = 0.0
    assert all(isinstance(each, OperationalError) and not isinstance(each, OutOfReach) for each in results)
    assert count() == 0


def test_a_slow_statement_does_not_open_it_while_d1_answers_others(of_host, proxy):
    of_host("one")
    slow = threading.Event()

    def plan(number, request):
        if number == 1:
            slow.set()
            return plans.SLOW_BEFORE
        return None

    proxy.plan = plan
    results = []
    thread = threading.Thread(target=lambda: results.extend(at_once(1, count)))
    thread.start()
    slow.wait()
    assert count() == 0
    thread.join()
    assert isinstance(results[0], OperationalError)
    assert count() == 0


def test_an_error_of_a_statement_is_an_answer(of_host, proxy):
    connection = of_host("one")
    proxy.plan = [plans.UNAVAILABLE, None, plans.UNAVAILABLE]
    fails()
    with pytest.raises(OperationalError, match="no such table"):
        connection.cursor().execute("SELECT 1 FROM nowhere")
    fails()
    assert count() == 0


def test_failed_trials_grow_the_pause_to_five_seconds(of_host, proxy, later):
    of_host("one")
    proxy.plan = plans.always(plans.UNAVAILABLE)
    fails()
    fails()
    pauses = []
    for _ in range(6):
        pauses.append(round(refused().retry_after))
        later(pauses[-1])
        refused()
    assert pauses == [1, 2, 4, 5, 5, 5]
    assert proxy.count == 8


def test_a_longer_pause_is_kept_when_the_server_asks_for_it(of_host, proxy, later):
    of_host("one", retries=3)
    proxy.plan = plans.always(plans.status(503, forward=False, headers=(("Retry-After", "30"),)))
    fails()
    fails()
    later(29)
    assert refused().retry_after <= 1
    assert proxy.count == 2


def test_one_of_many_tries_at_a_time(of_host, proxy, later):
    of_host("one")
    proxy.plan = plans.always(plans.SLOW_BEFORE)
    fails()
    later(1)
    results = at_once(24, count)
    assert proxy.count == 2
    assert sum(isinstance(each, OutOfReach) for each in results) == 24


@pytest.mark.parametrize("has_folder", [True, False])
def test_calls_wait_for_the_answer_to_a_trial_that_has_just_begun(
    of_host, proxy, later, tmp_path, has_folder
):
    """As a write does whose own request has just asked for a sync."""
    of_host("one", folder=tmp_path / "host" if has_folder else None)
    proxy.plan = [plans.SLOW_BEFORE]
    fails()
    later(1)
    proxy.latency = 0.3
    try:
        assert at_once(6, count) == [0] * 6
    finally:
        proxy.latency = 0.0


def test_none_of_several_calls_is_refused_whenever_the_trial_ends(of_host, proxy):
    of_host("one")
    assert count() == 0
    state = breaker_of()._state
    for _ in range(30):
        state.open(breaker_state.OpenState("away", 0, time.time() - 1))
        assert at_once(3, count) == [0] * 3


def test_processes_share_it(of_host, proxy, tmp_path):
    of_host("one")
    connections["one"].ensure_connection()
    children, ready, go = [], os.pipe(), os.pipe()
    for _ in range(3):
        child = os.fork()
        if child == 0:
            os.close(go[1])
            os.write(ready[1], b".")
            os.read(go[0], 1)
            try:
                count()
            except OutOfReach:
                os._exit(7)
            finally:
                os._exit(1)
        children.append(child)
    for _ in children:
        os.read(ready[0], 1)
    proxy.plan = plans.always(plans.SLOW_BEFORE)
    fails()
    os.close(go[1])
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [7, 7, 7]
    assert proxy.count == 1
    files = list((tmp_path / "host").glob("d1-away-*"))
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600]
    files[0].unlink()
    proxy.plan = []
    assert count() == 0, "Another process has found that D1 answers."


def test_one_process_of_a_host_tries_at_a_time(of_host, proxy, later):
    of_host("one")
    proxy.plan = plans.always(plans.SLOW_BEFORE)
    fails()
    later(1)
    children, go = [], os.pipe()
    for _ in range(4):
        child = os.fork()
        if child == 0:
            os.close(go[1])
            os.read(go[0], 1)
            try:
                count()
            except OutOfReach:
                os._exit(7)
            os._exit(1)
        children.append(child)
    os.close(go[1])
    codes = sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)
    assert codes == [7, 7, 7, 7]
    assert proxy.count == 2


def test_a_trial_ends_after_two_seconds_whatever_the_timeout(of_host, proxy, later):
    of_host("one", timeout=30.0)
    proxy.plan = [plans.UNAVAILABLE, plans.UNAVAILABLE, plans.SLOW_BEFORE]
    fails()
    fails()
    later(1)
    assert "did not answer in 2 s" in str(refused())


def test_a_write_that_waits_is_done_although_the_pause_is_not_over(of_host, proxy, truth):
    of_host("one", timeout=20.0)
    proxy.plan = [plans.UNAVAILABLE, plans.UNAVAILABLE, plans.SLOW_BEFORE]
    fails()
    fails()
    # A trial is under way, which D1 never answers; now it is back.
    time.sleep(1.0)
    trial = threading.Thread(target=lambda: at_once(1, count))
    trial.start()
    while proxy.count < 3:
        time.sleep(0.01)
    api_of("one").reach(database_of("one"))
    Counter.objects.using("one").create(value=7)
    trial.join()
    assert truth("SELECT value FROM d1faults_counter") == [[7]]
    assert proxy.count == 5


def test_those_who_wait_try_d1_once_in_a_second(of_host, proxy):
    of_host("one", most_calls=12)
    proxy.plan = plans.always(plans.UNAVAILABLE)
    fails()
    fails()

    def reach():
        with pytest.raises(OutOfReach):
            api_of("one").reach(database_of("one"))

    for _ in range(2):
        at_once(12, reach)
    # Each waits for up to four seconds.
    assert proxy.count <= 2 + 2 * 5


def test_a_trial_that_is_killed_does_not_keep_others_from_trying(of_host, proxy, later):
    of_host("one", timeout=20.0)
    proxy.plan = [plans.UNAVAILABLE, plans.UNAVAILABLE, plans.SLOW_BEFORE]
    fails()
    fails()
    later(1)
    child = os.fork()
    if child == 0:
        count()
        os._exit(1)
    while proxy.count < 3:
        time.sleep(0.01)
    os.kill(child, 9)
    os.waitpid(child, 0)
    refused()
    later(25)
    assert count() == 0


def test_a_clock_that_was_set_back_keeps_nobody_waiting(of_host, proxy, later):
    of_host("one")
    proxy.plan = [plans.SLOW_BEFORE]
    fails()
    later(-86_400)
    assert count() == 0


def test_calls_beyond_the_limit_fail_when_d1_answers_none(of_host, proxy):
    of_host("one")
    proxy.plan = plans.always(plans.SLOW_BEFORE)
    results = at_once(12, count)
    assert proxy.count == 3
    assert sum(isinstance(each, OutOfReach) for each in results) == 9


def test_calls_beyond_the_limit_wait_for_a_place_while_d1_answers(of_host, proxy):
    of_host("one", timeout=10.0)
    proxy.plan, proxy.latency = [], 0.05
    try:
        assert at_once(24, count) == [0] * 24
    finally:
        proxy.latency = 0.0


def test_a_late_answer_closes_it(of_host, proxy):
    of_host("one")
    of_host("patient", timeout=10.0)
    proxy.plan, proxy.latency = [], 2.0
    try:
        results = []
        thread = threading.Thread(target=lambda: results.extend(at_once(1, lambda: count("patient"))))
        thread.start()
        while not proxy.count:
            time.sleep(0.01)
        fails()
        refused()
        thread.join()
    finally:
        proxy.latency = 0.0
    assert results == [0]
    assert count() == 0


class TestLostWrites:
    """What became of a write whose answer was lost is found out, or said not to be known."""

    @pytest.fixture
    def one(self, of_host, truth):
        of_host("one", retries=5, retry_budget=1.2)
        Counter.objects.using("one").create(value=1)
        return Counter.objects.using("one")

    def test_it_is_asked_about_although_the_breaker_is_open(self, one, proxy, truth):
        proxy.plan = [plans.SLOW_AFTER]
        assert one.update(value=2) == 1
        assert proxy.count == 3
        assert truth("SELECT value FROM d1faults_counter") == [[2]]
        assert one.count() == 1

    def test_its_outcome_is_unknown_when_another_one_tries(self, one, proxy, later):
        proxy.plan = plans.always(plans.SLOW_AFTER)
        results = at_once(3, lambda: one.update(value=2))
        assert [type(each) for each in results] == [OutcomeUnknown] * 3
        # Each write once, one more attempt at a time.
        assert 4 <= proxy.count <= 6
        sent = proxy.count
        for error in results:
            with pytest.raises(OutcomeUnknown):
                error.settle()
        assert proxy.count == sent
        proxy.plan = None
        later(5)
        assert [error.settle() for error in results] == [True] * 3

    def test_a_write_that_was_not_sent_was_not_done(self, one, proxy, truth):
        proxy.plan = plans.always(plans.SLOW_BEFORE)
        with pytest.raises(OutcomeUnknown):
            one.update(value=2)
        sent = proxy.count
        with pytest.raises(OutOfReach):
            one.update(value=3)
        assert proxy.count == sent
        assert truth("SELECT value FROM d1faults_counter") == [[1]]


def test_a_rate_limit_is_not_waited_out_by_a_server(of_host, proxy):
    of_host("one", retries=5, retry_budget=10.0)
    proxy.plan = plans.always(plans.rate_limited("4"))
    for _ in range(3):
        with pytest.raises(RateLimited) as caught:
            count()
        assert 3 < caught.value.retry_after <= 4
    assert proxy.count == 1


def test_a_call_that_the_rate_limit_holds_back_is_not_a_trial(of_host, proxy, later):
    of_host("one")
    proxy.plan = [plans.UNAVAILABLE, plans.UNAVAILABLE, plans.rate_limited("1")]
    fails()
    fails()
    later(1)
    with pytest.raises(RateLimited):
        count()
    with pytest.raises(RateLimited):
        count()
    assert breaker_of().seconds_left() is None
    assert proxy.count == 3


def test_a_command_waits_and_tries_again(of_host, proxy):
    of_host("one")
    of_host("command", most_calls=None, retries=5)
    proxy.plan = plans.always(plans.SLOW_BEFORE)
    fails()
    refused()
    proxy.plan = [plans.UNAVAILABLE] * 3
    assert count("command") == 0
    assert proxy.count == 4


def test_without_a_folder_the_connections_of_a_process_share_it(of_host, proxy, later):
    of_host("one", folder=None)
    of_host("other", folder=None)
    proxy.plan = [plans.SLOW_BEFORE]
    fails()
    refused("other")
    later(1)
    assert count("other") == 0
    assert count() == 0


def test_a_folder_that_cannot_be_written_is_no_failure(of_host, proxy, tmp_path, caplog):
    (tmp_path / "file").write_text("")
    of_host("one", folder=tmp_path / "file" / "folder")
    proxy.plan = [plans.SLOW_BEFORE]
    fails()
    refused()
    assert "Other processes cannot be told" in caplog.text


def test_a_disk_that_becomes_read_only_does_not_keep_it_open(of_host, proxy, later, monkeypatch):
    of_host("one")
    proxy.plan = [plans.SLOW_BEFORE]
    fails()
    refused()

    def read_only(*args, **kwargs):
        raise OSError(errno.EROFS, "Read-only file system")

    # No folder is read-only to the superuser.
    disk = SimpleNamespace(**vars(os))
    disk.open = disk.unlink = disk.utime = disk.replace = read_only
    monkeypatch.setattr(breaker_state, "os", disk)
    later(1)
    assert count() == 0
    assert count() == 0
