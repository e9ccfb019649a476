"""An application's names and words are never taken for word of D1's own state, whatever they are."""

import pytest
from django.db import DatabaseError, IntegrityError, NotSupportedError, OperationalError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from d1backend import OutcomeUnknown, SerializationFailure, errors
from d1backend.protocol.messages import OUTAGES, error_of, may_have_run
from devtools import fault_plan as plans
from tests.d1.faults.conftest import ALIAS
from tests.d1.faults.models import Left

pytestmark = pytest.mark.d1
lefts = Left.objects.using(ALIAS)
WORDS = [
    *(outage.words for outage in OUTAGES),
    "truck_not_overloaded", "overloaded", "database is locked", "SQLITE_BUSY", "x: SQLITE_BUSY", "x at offset 3",
    "no such table: _d1_marks", "no such column: x", "UNIQUE constraint failed: d1faults_left.id",
    "not authorized", "already exists", "string or blob too big", "integer overflow", "bad JSON path: 'D1STALE x'",
    "bad JSON path: 'D1APPLIED 1 1'", "D1_ERROR: internal error", "Wrong number of parameter", "constraint failed",
    "x: SQLITE_ERROR (extended: SQLITE_CONSTRAINT_UNIQUE)",
]  # fmt: skip
names = st.sampled_from(WORDS) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40
)
fast = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def quoted(name):
    return '"{}"'.format(name.replace('"', '""'))


def text(words):
    return "'{}'".format(words.replace("'", "''"))


@pytest.fixture
def run(faulty, proxy):
    """Run one statement, and count what is sent for it."""

    def run(sql):
        proxy.plan = []
        with faulty.cursor() as cursor:
            cursor.execute(sql)

    lefts.create(label="taken")
    return run


@fast
@given(names)
@example("truck_not_overloaded")
def test_a_constraint_of_any_name_that_fails_is_an_integrity_error_at_once(run, proxy, name):
    run('DROP TABLE IF EXISTS "t"')
    run(f'CREATE TABLE "t" ("a", CONSTRAINT {quoted(name)} CHECK ("a" < 10))')
    with pytest.raises(IntegrityError):
        run('INSERT INTO "t" VALUES (11)')
    assert proxy.count == 1


@fast
@given(names)
@example("overloaded")
def test_a_column_of_any_name_that_is_null_or_twice_is_an_integrity_error_at_once(run, proxy, name):
    run('DROP TABLE IF EXISTS "t"')
    run(f'CREATE TABLE "t" ("one" INTEGER, {quoted(name)} UNIQUE NOT NULL)')
    run('INSERT INTO "t" VALUES (1, 1)')
    for value in ("1", "NULL"):
        with pytest.raises(IntegrityError):
            run(f'INSERT INTO "t" VALUES (1, {value})')
        assert proxy.count == 1


@fast
@given(names)
@example("UNIQUE constraint failed: d1faults_left.id")
def test_a_trigger_that_raises_any_words_is_an_integrity_error_at_once(run, proxy, name):
    run('DROP TRIGGER IF EXISTS "refuse"')
    run(
        'CREATE TRIGGER "refuse" BEFORE INSERT ON "d1faults_left" '
        f"BEGIN SELECT RAISE(ABORT, {text(name)}); END"
    )
    proxy.plan = []
    with pytest.raises(IntegrityError):
        lefts.create(label="new")
    assert proxy.count == 1


@pytest.mark.parametrize("name", WORDS)
def test_a_table_of_any_name_that_is_missing_is_an_operational_error_at_once(run, proxy, name):
    for sql in (f"SELECT * FROM {quoted(name)}", f"INSERT INTO {quoted(name)} VALUES (1)"):
        with pytest.raises(OperationalError) as caught:
            run(sql)
        assert type(caught.value) is OperationalError
        assert proxy.count == 1


@pytest.mark.parametrize("path", ["D1STALE x", "D1APPLIED 7 7", "D1CARRY []", *WORDS])
def test_a_json_path_of_an_applications_is_an_error_of_its_statement(run, proxy, truth, path):
    sql = f"INSERT INTO d1faults_left (label) SELECT json_extract('{{}}', {text(path)})"
    with pytest.raises(DatabaseError, match="bad JSON path") as caught:
        run(sql)
    assert not isinstance(caught.value, OutcomeUnknown | SerializationFailure)
    assert proxy.count == 1
    assert truth("SELECT label FROM d1faults_left") == [["taken"]]


def test_what_d1_does_not_allow_is_not_supported(run):
    with pytest.raises(NotSupportedError):
        run("SELECT sqlite_version()")
    with pytest.raises(NotSupportedError):
        run("PRAGMA user_version")


def says(message, *, forward):
    return plans.status(400, forward=forward, body=plans.api_error(7500, message))


@pytest.mark.parametrize("prefix", ["", "D1_ERROR: "])
@pytest.mark.parametrize("outage", OUTAGES, ids=lambda outage: outage.words)
def test_an_outage_that_passes_is_overcome_and_the_write_done_once(faulty, proxy, truth, outage, prefix):
    lefts.create(label="before")
    proxy.plan = [says(f"{prefix}{outage.words}.", forward=outage.may_have_run)]
    row = lefts.create(label="after")
    assert truth(f"SELECT label FROM d1faults_left WHERE id = {row.pk}") == [["after"]]
    assert truth("SELECT count(*) FROM d1faults_left") == [[2]]


@pytest.mark.parametrize("outage", OUTAGES, ids=lambda outage: outage.words)
def test_an_outage_that_lasts_says_what_it_says_of_the_write(faulty, proxy, truth, outage):
    lefts.create(label="before")
    proxy.plan = plans.always(says(outage.words, forward=False))
    with pytest.raises(OperationalError) as caught:
        lefts.create(label="after")
    assert isinstance(caught.value, OutcomeUnknown) is outage.may_have_run
    assert proxy.count == 6


@pytest.mark.parametrize("code", ["SQLITE_BUSY", "SQLITE_LOCKED"])
def test_a_locked_database_is_asked_again(faulty, proxy, code):
    proxy.plan = [says(f"D1_ERROR: database is locked: {code}", forward=False)]
    assert lefts.create(label="new").pk


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("UNIQUE constraint failed: designs.id", errors.UniqueError),
        ("D1_ERROR: FOREIGN KEY constraint failed", errors.IntegrityError),
        ("CHECK constraint failed: truck_not_overloaded", errors.IntegrityError),
        ("NOT NULL constraint failed: trucks.overloaded", errors.IntegrityError),
        ("no such table: overloaded", errors.MissingError),
    ],
)
def test_a_message_whose_code_was_cut_off_is_read_by_its_beginning(message, kind):
    assert may_have_run(message) is None
    assert type(error_of(message)) is kind
