"""Every fault, on every kind of request: overcome when it passes, told truly when it lasts."""

import traceback

import pytest
from django.db import DatabaseError, OperationalError, connections

from d1backend import OutcomeUnknown
from devtools import fault_plan as plans
from tests.d1.faults.conftest import ALIAS, PATIENCE, TOKEN
from tests.d1.faults.models import Counter
from tests.d1.faults.operations import OPERATIONS

pytestmark = pytest.mark.d1


def by_name(value):
    return value.name.replace(" ", "-")


@pytest.fixture(params=OPERATIONS, ids=by_name)
def operation(request, faulty):
    """An operation on a database whose tables, marks and keys have been used before."""
    Counter.objects.using(ALIAS).create(value=0)
    return request.param


@pytest.fixture
def times(operation, truth):
    """How often the operation has been done, says the engine."""
    return lambda: int(truth(operation.done)[0][0])


@pytest.fixture
def done_by_run(operation):
    """How often one successful run does it."""
    return 0 if operation.name in ("read", "gather") else 1


@pytest.mark.parametrize("fault", [*plans.PASSING, plans.down(0.03)], ids=by_name)
def test_a_fault_that_passes_is_overcome_by_a_second_attempt(fault, operation, proxy, times, done_by_run):
    def meet():
        proxy.plan = [fault]

    assert operation.run(ALIAS, meet) == operation.answer
    assert (proxy.faults, times()) == ([fault.name], done_by_run)


@pytest.mark.parametrize("fault", plans.SLOW, ids=by_name)
def test_an_answer_slower_than_the_time_out_is_asked_for_again(
    fault, operation, proxy, times, done_by_run, connect, faulty
):
    connect("hasty", faulty.settings_dict["NAME"], timeout=0.3)
    Counter.objects.using("hasty").count()

    def meet():
        proxy.plan = [fault]

    assert operation.run("hasty", meet) == operation.answer
    proxy.settle()
    assert (proxy.faults, times()) == ([fault.name], done_by_run)


LASTING = [
    (plans.RESET_BEFORE, "connection to D1 broke"),
    (plans.RESET_AFTER, "connection to D1 broke"),
    (plans.RESET_MIDWAY, "connection to D1 broke"),
    (plans.TRUNCATED, "JSON cut short"),
    (plans.HTML, "a page, not JSON"),
    (plans.HOLLOW, "200 with no results"),
    (plans.rate_limited(None), "refuses more requests"),
    (plans.SERVER_ERROR_BEFORE, "500 with internal error"),
    (plans.SERVER_ERROR_AFTER, "500 with internal error"),
    (plans.BAD_GATEWAY_BEFORE, "502 with a page"),
    (plans.BAD_GATEWAY_AFTER, "502 with a page"),
    (plans.UNAVAILABLE, "503 with a page"),
    (plans.WRONG_TOKEN, "refuses the API token"),
    (plans.UNKNOWN_DATABASE, "does not know the account or the database"),
    (plans.TOO_LARGE, "refuses the request: 413 with a page"),
]
SURELY_UNDONE = {"429", *(fault.name for fault in plans.LASTING)}


@pytest.mark.parametrize(("fault", "words"), LASTING, ids=lambda value: getattr(value, "name", None))
def test_a_fault_that_lasts_is_an_operational_error_and_leaves_a_usable_connection(
    fault, words, operation, proxy, times, done_by_run
):
    def meet():
        proxy.plan = plans.always(fault)

    with pytest.raises(OperationalError, match=words) as caught:
        operation.run(ALIAS, meet)
    attempts = 1 if fault in plans.LASTING else PATIENCE["retries"] + 1
    assert proxy.count == attempts
    assert operation.table in str(caught.value)
    assert isinstance(caught.value, OutcomeUnknown) == (operation.writes and fault.name not in SURELY_UNDONE)
    assert times() == (1 if operation.writes and fault.forward else 0)

    proxy.plan = None
    assert_says_no_secret(caught.value, proxy)
    if not fault.forward:
        assert operation.run(ALIAS, lambda: None) == operation.answer
        assert times() == done_by_run
    else:
        assert Counter.objects.using(ALIAS).count() == 1


def test_a_database_that_cannot_be_reached_is_an_operational_error_until_it_can(
    operation, proxy, times, done_by_run
):
    with pytest.raises(OperationalError, match="cannot be reached: Connection refused") as caught:
        operation.run(ALIAS, proxy.go_down)
    assert operation.table in str(caught.value)
    proxy.come_up()
    assert_says_no_secret(caught.value, proxy)
    assert operation.run(ALIAS, lambda: None) == operation.answer
    assert times() == done_by_run


def assert_says_no_secret(error, proxy):
    """Neither message nor variables of a reported frame hold the token; no message holds the address."""
    while error is not None:
        for part in (TOKEN, "127.0.0.1", str(proxy.port), "an-account", "client/v4"):
            assert part not in str(error)
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if "/django/" not in frame.f_code.co_filename and "/tests/" not in frame.f_code.co_filename:
                assert TOKEN not in repr(frame.f_locals)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_the_engines_own_refusal_of_a_token_is_told(connect, faulty):
    connect("stranger", faulty.settings_dict["NAME"], api_token="another-token")
    with pytest.raises(
        OperationalError, match=r"refuses the API token \(403: Authentication error\).*d1faults_counter"
    ):
        Counter.objects.using("stranger").count()


def test_the_engines_own_refusal_of_a_database_is_told(connect, faulty):
    connect("nowhere", "no-such-database")
    with pytest.raises(
        OperationalError, match=r"does not know the account or the database.*d1faults_counter"
    ):
        Counter.objects.using("nowhere").count()


@pytest.mark.parametrize(
    ("sql", "error", "words"),
    [
        ("SELECT * FROM nothing_here", "OperationalError", "no such table: nothing_here"),
        ("INSERT INTO d1faults_left (label) VALUES (NULL)", "IntegrityError", "d1faults_left.label"),
        ("INSERT INTO d1faults_right (label, left_id) VALUES ('x', 9)", "IntegrityError", "d1faults_right"),
        ("SELECT FROM d1faults_left", "OperationalError", "d1faults_left"),
        ("UPDATE d1faults_counter SET nothing = 1", "OperationalError", "d1faults_counter"),
    ],
)
def test_an_error_of_the_statement_is_told_at_once_and_names_the_table(sql, error, words, faulty, proxy):
    proxy.plan = None
    with connections[ALIAS].cursor() as cursor, pytest.raises(DatabaseError) as caught:
        cursor.execute(sql)
    assert type(caught.value).__name__ == error
    assert words in str(caught.value)
    assert proxy.count <= 1 + sql.startswith("INSERT INTO d1faults_left")
