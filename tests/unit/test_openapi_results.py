"""What `make schemathesis` counts as tested, and what it leaves out when a run is resumed."""

from collections import Counter

import pytest

from tests.openapi.results import Result, Results

CREATE, READ = "POST /api/designs", "GET /api/designs"


@pytest.mark.parametrize(
    ("call", "statuses", "is_tested"),
    [
        (CREATE, {"201": 1, "400": 199}, True),
        (CREATE, {"400": 200}, False),
        (CREATE, {"201": 199}, False),
        (READ, {"200": 40, "401": 160}, True),
        (READ, {"200": 39, "401": 161}, False),
        (READ, {}, False),
    ],
)
def test_an_operation_needs_its_calls_and_its_successes(call, statuses, is_tested):
    assert Result(call, 200, Counter(statuses)).is_tested is is_tested


def test_a_resumed_run_leaves_out_what_has_passed_with_as_many_examples(tmp_path):
    path = tmp_path / "results.json"
    first = Results(path, resume=False)
    first.add(Result(CREATE, 200, Counter({"201": 200})))
    first.add(Result(READ, 200, Counter({"200": 200}), failed=True))
    resumed = Results(path, resume=True)
    assert resumed.is_done(CREATE, 200)
    assert not resumed.is_done(CREATE, 201)
    assert not resumed.is_done(READ, 200)
    assert [found.statuses for found in resumed.of([CREATE, READ])] == [{"200": 200}, {"201": 200}]
    assert not Results(path, resume=False).is_done(CREATE, 200)
