"""Copies of hosts that are killed, lose their disks and meet faults are those of D1 in the end; see hosts.py.

REPLICA_WRITES sets how many writes each of their threads makes.
"""

import logging
import os

import pytest

from devtools import fault_plan as plans
from tests.d1.faults.trials import FAULTS
from tests.d1.replica.conftest import PATIENCE, TOKEN
from tests.d1.replica.hosts import BEACONS, Run, at_times

log = logging.getLogger(__name__)
WRITES = int(os.environ.get("REPLICA_WRITES", "6"))
SEED = int(os.environ.get("REPLICA_SEED", "7"))


@pytest.mark.parametrize("faults", [False, True], ids=["calm", "faults"])
def test_copies_of_hosts_that_are_killed_and_meet_faults_are_correct(d1, installed, proxy, tmp_path, faults):
    options = {**PATIENCE, "account_id": "an-account", "api_token": TOKEN, "base_url": proxy.url}
    run = Run(d1, proxy, d1.database, TOKEN, tmp_path, options, SEED)
    bad_times, judged = at_times(plans.every(2, FAULTS, SEED)), run.ledger / "judged"

    def plan(number, request):
        # In a short run D1 must not fail from start to end: its faults begin after the first check that counted.
        return bad_times(number, request) if faults and judged.stat().st_size else None

    account = run.play(WRITES, plan)
    log.info("%s", account)
    assert account.even, str(account)
    assert account.begun == WRITES * BEACONS
    assert account.acknowledged
    assert account.looks["judged"]
    for file in run.bucket.rglob("part-*"):
        assert b"bcrypt$secret" not in file.read_bytes()
