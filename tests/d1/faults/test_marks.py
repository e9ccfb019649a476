"""A mark says that this very batch ran, whoever else writes under the same client's name."""

import copy
import json
from urllib import request

import pytest
from django.db import connections, transaction
from django.db.models import F

from d1backend import OutcomeUnknown
from devtools import fault_plan as plans
from tests.d1.faults.conftest import ALIAS, TOKEN
from tests.d1.faults.models import Counter

pytestmark = pytest.mark.d1
counters = Counter.objects.using(ALIAS)
twins = Counter.objects.using("twin")


@pytest.fixture
def twin(connect, faulty):
    """A second connection in the state of the first: what a snapshot of its process wakes up with."""
    counters.create(value=0)
    twin = connect("twin", faulty.settings_dict["NAME"])
    twin.ensure_connection()
    twin.connection.session._marks = copy.deepcopy(faulty.connection.session._marks)
    return twin


@pytest.fixture
def rows_read(engine, faulty):
    """The rows that D1 bills as read for one batch."""

    def ask(batch):
        url = f"{engine.url}/accounts/an-account/d1/database/{faulty.settings_dict['NAME']}/raw"
        body = json.dumps({"batch": batch}).encode()
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        with request.urlopen(request.Request(url, body, headers)) as answer:
            return sum(part["meta"]["rows_read"] for part in json.load(answer)["result"])

    return ask


def test_each_of_two_copies_of_a_client_is_told_of_its_own_write(twin, faulty, proxy, truth):
    assert counters.update(value=F("value") + 1) == 1
    proxy.plan = []
    made = twins.create(value=50)
    assert truth(f"SELECT value FROM d1faults_counter WHERE id = {made.pk}") == [[50]]
    assert proxy.count == 2
    assert twins.filter(value=99).update(value=0) == 0
    assert proxy.count == 3
    assert counters.filter(value=50).update(value=51) == 1
    assert sorted(truth("SELECT value FROM d1faults_counter")) == [[1], [51]]


def test_a_copy_that_fell_behind_is_told_of_its_own_write(twin, faulty, truth):
    for _ in range(3):
        counters.update(value=F("value") + 1)
    with transaction.atomic(using="twin"):
        assert twins.update(value=F("value") + 10) == 1
    assert truth("SELECT value FROM d1faults_counter") == [[13]]


def test_a_lost_answer_is_settled_though_a_copy_of_the_client_writes_as_well(twin, faulty, proxy, truth):
    proxy.plan = [plans.RESET_AFTER]
    assert counters.update(value=F("value") + 1) == 1
    proxy.plan = [plans.RESET_AFTER]
    assert twins.update(value=F("value") + 10) == 1
    assert truth("SELECT value FROM d1faults_counter") == [[11]]


def test_a_lost_write_whose_client_another_copy_took_further_is_of_unknown_outcome(
    twin, faulty, proxy, truth
):
    def meet(number, sent):
        if number == 1:
            return plans.RESET_AFTER
        truth("UPDATE _d1_marks SET nonce = 'of another copy', serial = serial + 1")
        return None

    proxy.plan = meet
    with pytest.raises(OutcomeUnknown):
        counters.update(value=F("value") + 1)
    assert proxy.count == 2
    assert truth("SELECT value FROM d1faults_counter") == [[1]]
    proxy.plan = None
    assert counters.update(value=F("value") + 1) == 1


def test_a_late_copy_of_a_batch_is_not_applied_after_a_newer_one(connect, faulty, proxy, truth):
    counters.create(value=0)
    hasty = connect("hasty", faulty.settings_dict["NAME"], timeout=0.3, retries=0)
    Counter.objects.using("hasty").update(value=1)
    proxy.plan = [plans.SLOW_LATE]
    with pytest.raises(OutcomeUnknown):
        Counter.objects.using("hasty").update(value=2)
    Counter.objects.using("hasty").update(value=3)
    proxy.settle()
    assert truth("SELECT value FROM d1faults_counter") == [[3]]
    assert hasty.connection is not None


@pytest.mark.parametrize("fault", [None, plans.RESET_BEFORE, plans.RESET_AFTER], ids=str)
def test_a_table_of_marks_from_an_earlier_version_gets_its_column(fault, faulty, proxy, truth):
    counters.create(value=0)
    truth("DROP TABLE _d1_marks")
    truth(
        "CREATE TABLE _d1_marks (client TEXT PRIMARY KEY, serial INTEGER NOT NULL, changes INTEGER, "
        "last_id INTEGER, at INTEGER NOT NULL) WITHOUT ROWID"
    )
    proxy.plan = [None, fault]
    assert counters.update(value=F("value") + 1) == 1
    assert truth("SELECT value FROM d1faults_counter") == [[1]]


def test_two_processes_may_give_the_table_of_marks_its_column_at_once(faulty, proxy, truth):
    counters.create(value=0)
    truth("ALTER TABLE _d1_marks DROP COLUMN nonce")

    def meet(number, sent):
        if number == 2:
            truth("ALTER TABLE _d1_marks ADD COLUMN nonce TEXT")

    proxy.plan = meet
    assert counters.update(value=F("value") + 1) == 1
    assert truth("SELECT value FROM d1faults_counter") == [[1]]


def test_a_new_connection_tidies_marks_without_reading_all_of_them(faulty, proxy, truth, rows_read):
    counters.create(value=0)
    truth(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO _d1_marks "
        "(client, serial, at) SELECT lower(hex(randomblob(16))), 1, unixepoch() FROM n"
    )
    connections[ALIAS].close()
    sent = []
    proxy.plan = lambda number, request: sent.append(request)
    counters.update(value=1)
    marking = [part for part in json.loads(sent[-1].body)["batch"][1:] if "_d1_marks" in part["sql"]]
    assert len(marking) == 2
    assert rows_read(marking) < 50


def test_marks_of_clients_long_gone_make_room(faulty, truth):
    counters.create(value=0)
    truth(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30) INSERT INTO _d1_marks "
        "(client, serial, at) SELECT 'z' || i, 1, unixepoch() - 100000 FROM n"
    )
    for _ in range(20):
        faulty.close()
        counters.update(value=1)
    assert truth("SELECT count(*) FROM _d1_marks WHERE client LIKE 'z%'") == [[0]]
    assert truth("SELECT value FROM d1faults_counter") == [[1]]
