"""Short runs of the trials under a fault in every third request; `make faults` runs them in full."""

import pytest

from tests.d1.faults import process, trials
from tests.d1.faults.conftest import TOKEN
from tests.d1.faults.moves import MOVES

pytestmark = pytest.mark.d1
COUNT = 60
# A killed process takes the start of another.
KILLED_COUNT = 30


@pytest.fixture
def hasty(connect, faulty):
    connect("hasty", faulty.settings_dict["NAME"], **{**process.PATIENCE, **process.HASTE})
    return "hasty"


@pytest.fixture
def patient(connect, faulty):
    connect("patient", faulty.settings_dict["NAME"], **process.PATIENCE)
    return "patient"


def test_transactions_under_faults_are_whole_kept_and_done_once(patient, proxy, truth):
    account = trials.pairs(patient, proxy, truth, COUNT)
    assert not account.halves
    assert not account.lost
    assert not account.doubled
    assert len(account.acknowledged) == COUNT
    assert account.faults.keys() == {fault.name for fault in trials.FAULTS}


def test_however_an_application_goes_on_after_an_error_its_transactions_are_whole_kept_and_done_once(
    hasty, proxy, truth
):
    account = trials.pairs(hasty, proxy, truth, COUNT * 2, moves=MOVES)
    assert account.even, str(account)
    assert account.acknowledged
    assert account.errors["OutcomeUnknown"]


@pytest.mark.parametrize("moves", trials.SETS)
def test_transactions_of_processes_killed_under_faults_are_whole_kept_and_done_once(
    moves, faulty, proxy, truth, tmp_path
):
    account = trials.killed_pairs(
        faulty.settings_dict["NAME"],
        TOKEN,
        proxy,
        truth,
        KILLED_COUNT,
        tmp_path / "log",
        seed=4,
        moves=moves,
    )
    assert account.even, str(account)
    assert account.kills > 0
    assert account.begun == KILLED_COUNT


@pytest.mark.parametrize("how", ["F", "select_for_update"])
def test_threads_that_add_to_one_counter_under_faults_lose_nothing(how, patient, proxy, truth):
    result = trials.additions(patient, proxy, truth, how, COUNT)
    assert result.told <= result.value <= result.told + result.unknown
    assert result.told + result.unknown == COUNT
