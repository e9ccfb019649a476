"""What other backends for D1 get wrong over HTTP (docs/d1backend-failures.md), and this one must not."""

import pytest
from django.db import IntegrityError, OperationalError, transaction

from devtools import fault_plan as plans
from tests.d1.faults.conftest import ALIAS
from tests.d1.faults.models import Left

pytestmark = pytest.mark.d1
lefts = Left.objects.using(ALIAS)


def test_a_bad_gateway_after_the_write_does_not_double_the_row(faulty, proxy, truth):
    proxy.plan = plans.every(2, [plans.BAD_GATEWAY_AFTER])
    for i in range(4):
        lefts.create(label=str(i))
    assert plans.BAD_GATEWAY_AFTER.name in proxy.faults
    assert truth("SELECT label FROM d1faults_left ORDER BY id") == [["0"], ["1"], ["2"], ["3"]]


def test_many_queries_take_one_connection(faulty, proxy):
    lefts.count()
    before = proxy.connections
    for i in range(10):
        with transaction.atomic(using=ALIAS):
            lefts.create(label=str(i))
        assert lefts.count() == i + 1
    assert proxy.connections == before


def test_an_error_answer_does_not_cost_the_connection(faulty, proxy):
    lefts.create(label="taken")
    before = proxy.connections
    for _ in range(3):
        with pytest.raises(IntegrityError):
            lefts.create(label="taken")
    proxy.plan = [plans.rate_limited(None), plans.UNAVAILABLE]
    assert lefts.count() == 1
    assert proxy.connections == before


def test_a_connection_that_the_server_closed_in_between_costs_no_attempt(faulty, proxy, truth):
    lefts.create(label="before")
    proxy.go_down()
    proxy.come_up()
    before = faulty.round_trips
    lefts.create(label="after")
    assert faulty.round_trips == before + 1
    assert truth("SELECT count(*) FROM d1faults_left") == [[2]]


def test_after_a_commit_that_failed_the_connection_serves_the_next_transaction(faulty, proxy, truth):
    def fail():
        with transaction.atomic(using=ALIAS):
            lefts.create(label="lost")
            proxy.plan = plans.always(plans.BAD_GATEWAY_BEFORE)

    with pytest.raises(OperationalError):
        fail()
    proxy.plan = None
    assert not faulty.in_atomic_block
    assert faulty.get_autocommit()
    with transaction.atomic(using=ALIAS):
        lefts.create(label="kept")
    assert truth("SELECT label FROM d1faults_left") == [["kept"]]


def test_after_a_rehearsal_that_failed_the_outer_transaction_goes_on(faulty, proxy, truth):
    def inner():
        with transaction.atomic(using=ALIAS):
            lefts.create(label="inner")
            proxy.plan = plans.always(plans.RESET_BEFORE)

    with transaction.atomic(using=ALIAS):
        lefts.create(label="outer")
        with pytest.raises(OperationalError):
            inner()
        proxy.plan = None
    assert truth("SELECT label FROM d1faults_left") == [["outer"]]


def test_on_commit_runs_only_when_the_commit_was_done(faulty, proxy):
    ran = []

    def work(name, plan):
        with transaction.atomic(using=ALIAS):
            lefts.create(label=name)
            transaction.on_commit(lambda: ran.append(name), using=ALIAS)
            proxy.plan = plan

    with pytest.raises(OperationalError):
        work("failed", plans.always(plans.UNAVAILABLE))
    work("lost answer", [plans.RESET_AFTER])
    assert ran == ["lost answer"]


@pytest.mark.parametrize(
    "fault", [plans.WRONG_TOKEN, plans.rate_limited("300"), plans.BAD_GATEWAY_BEFORE], ids=lambda f: f.name
)
def test_a_test_run_that_cannot_make_its_own_database_refuses_before_any_statement(
    fault, faulty, proxy, truth
):
    lefts.create(label="precious")
    proxy.plan = lambda number, request: fault if request.path.endswith("/d1/database") else None
    name = faulty.settings_dict["NAME"]
    with pytest.raises(OperationalError, match="Tests need a database of their own"):
        faulty.creation.create_test_db(verbosity=0)
    assert [request.path for request, _ in proxy.log if not request.path.endswith("/d1/database")] == []
    assert faulty.settings_dict["NAME"] == name
    assert truth("SELECT label FROM d1faults_left") == [["precious"]]


def test_a_test_database_is_another_than_the_configured_one_and_is_deleted(
    connect, faulty, proxy, truth, settings
):
    settings.INSTALLED_APPS = []
    lefts.create(label="precious")
    proxy.plan = None
    configured = faulty.settings_dict["NAME"]
    tested = connect("tested", configured)
    tested.creation.create_test_db(verbosity=0, serialize=False)
    with tested.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sqlite_master WHERE name = 'd1faults_left'")
        assert cursor.fetchone() == (0,)
    tested.creation.destroy_test_db(configured, verbosity=0)
    assert not any(configured in request.path for request, _ in proxy.log)
    assert truth("SELECT label FROM d1faults_left") == [["precious"]]
