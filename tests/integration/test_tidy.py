"""manage.py tidy: what goes, what stays, and that it meets others who work."""

import io
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import caches
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.models import DeletedSignup, KeptAnswer, ResetCode, SignIn, StoredGuesses
from core import limits
from core.errors import Unavailable
from core.models import AuditEntry
from d1backend.protocol.batch_marks import TABLE as MARKS
from d1backend.replica.change_log import LOG, SNAPSHOTS, STATE
from designs.fields import Status
from designs.models import ValueTotal
from operations.tidy.steps import STEPS
from tests.api.client import ApiClient
from tests.factories.accounts import SignInFactory, UserFactory
from tests.factories.designs import DesignFactory, FavouriteFactory, SearchCountFactory

PAGE = Path(__file__).parents[2] / "docs" / "tidy.md"
NOW = timezone.now()
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ANALYTICS = "/api/admin/analytics"


def tidy(*only, **options):
    """How many of each step went."""
    said = io.StringIO()
    call_command("tidy", only=",".join(only), stdout=said, **options)
    found = re.findall(r"^ *([0-9]+)  ([a-z_]+) ", said.getvalue(), re.MULTILINE)
    return {name: int(count) for count, name in found if count != "0"}


def kept_answer(age):
    return KeptAnswer.objects.create(
        digest=f"{age}", user=UserFactory(), fingerprint="", status=201, body="", created_at=NOW - age
    )


def reset_code(age):
    return ResetCode.objects.create(user=UserFactory(), code_hash="", expires_at=NOW - age)


def guesses(age):
    return StoredGuesses.objects.create(full_at=limits.now() - age // timedelta(microseconds=1), step=1)


def value_total(count):
    return ValueTotal.objects.create(
        id=900 + count, field="style", value=f"{count}", status="draft", count=count
    )


# By step: what makes a row, of what goes and of what stays.
ROWS = {
    "sign_ins": (lambda **age: SignInFactory(**age), [{"ended_at": NOW - 8 * DAY}, {"expires_at": NOW - 8 * DAY}],
                 [{}, {"ended_at": NOW - 6 * DAY}, {"expires_at": NOW - 6 * DAY}]),
    "idempotency_keys": (kept_answer, [26 * HOUR], [23 * HOUR, 24 * HOUR]),
    "reset_codes": (reset_code, [2 * HOUR], [-HOUR, HOUR / 2]),
    "guesses": (guesses, [2 * HOUR], [-HOUR, HOUR / 2]),
    "deleted_signups": (lambda age: DeletedSignup.objects.create(day=(NOW - age).date()), [402 * DAY], [365 * DAY]),
    "trash": (lambda age: DesignFactory(status=Status.DELETED, deleted_at=NOW - age), [31 * DAY], [29 * DAY]),
    "search_counts": (lambda age: SearchCountFactory(week=(NOW - age).date()), [400 * DAY], [365 * DAY]),
    "value_totals": (value_total, [0], [1]),
}  # fmt: skip


def made(make, choice):
    return make(**choice) if isinstance(choice, dict) else make(choice)


@pytest.mark.django_db
@pytest.mark.parametrize("step", ROWS)
def test_the_old_rows_go_and_the_others_stay(step):
    make, old, new = ROWS[step]
    gone, kept = [made(make, one) for one in old], [made(make, one) for one in new]
    model = type(gone[0])
    ours = model.objects.filter(pk__in=[row.pk for row in (*gone, *kept)])
    assert tidy(step, dry_run=True) == {step: len(gone)}
    assert ours.count() == len(gone) + len(kept)
    assert tidy(step) == {step: len(gone)}
    assert set(ours) == set(kept)
    assert tidy(step) == {}


@pytest.mark.django_db
def test_many_rows_go_in_batches(monkeypatch):
    monkeypatch.setattr("core.batches.BATCH", 2)
    user = UserFactory()
    SignInFactory.create_batch(5, user=user, ended_at=NOW - 8 * DAY)
    kept = SignInFactory(user=user)
    assert tidy("sign_ins") == {"sign_ins": 5}
    assert SignIn.objects.get() == kept


@pytest.mark.django_db
def test_nothing_of_a_gallery_in_use_goes(image_store):
    client = ApiClient.admin()
    client.post("/api/auth/login", {"username": client.user.username, "password": "wrong"})
    design = FavouriteFactory().design
    client.delete(f"/api/designs/{design.pk}")
    lines = AuditEntry.objects.count()
    assert tidy() == {"value_totals": 2}  # no published saree is left, and so no published design
    assert AuditEntry.objects.count() == lines
    assert client.post(f"/api/designs/{design.pk}/restore").status_code == 200


def test_an_unknown_step_is_named_with_those_that_there_are():
    with pytest.raises(CommandError, match=r"no step 'trsh'\. It has: sign_ins, .*metrics"):
        call_command("tidy", only="trsh,trash")


@pytest.mark.django_db
def test_a_step_that_fails_hides_no_other(monkeypatch, capsys, caplog):
    def away(*args, **options):
        raise Unavailable("The store is away.")

    monkeypatch.setattr("uploads.cleaning.clean", away)
    monkeypatch.setattr("designs.old_days.fold", lambda: {}["no such key"])
    SignInFactory(ended_at=NOW - 8 * DAY)
    with pytest.raises(CommandError, match=r"2 of 16 steps failed.*--only day_counts,uploads"):
        call_command("tidy")
    told = capsys.readouterr()
    assert "The store is away." in told.err
    assert "an error of the program, KeyError" in told.err
    assert "Traceback" not in told.err
    assert "no such key" in caplog.text
    assert re.search(r"1  sign_ins ", told.out)
    assert "metrics" in told.out


@pytest.mark.django_db
def test_what_has_expired_leaves_the_cache(settings, tmp_path):
    settings.CACHES = {
        "default": {
            "BACKEND": "core.cache.FolderCache",
            "LOCATION": tmp_path,
            "OPTIONS": {"MAX_ENTRIES": 10},
        }
    }
    cache = caches["default"]
    cache.set("fresh", 1, 60)
    cache.set("for_ever", 1, None)
    cache.set("gone", 1, 0.000001)
    assert tidy("cache", dry_run=True) == tidy("cache") == {"cache": 1}
    assert tidy("cache") == {}
    assert cache.get_many(["fresh", "for_ever"]) == {"fresh": 1, "for_ever": 1}


def names_of(cell):
    return re.findall(r"`([a-z0-9_]+)`", cell)


@pytest.mark.django_db
def test_the_page_has_each_table_and_each_step():
    tables, steps = set(), set()
    for line in PAGE.read_text().splitlines():
        cells = line.split(" | ")
        if line.startswith("| `") or line.startswith("| the image") or line.startswith("| snapshots"):
            is_table = re.match(r"\| `[a-z0-9_]+`", line) and "DATA" not in cells[0]
            tables.update(names_of(cells[0]) if is_table else ())
            steps.update(names_of(cells[-1]))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'"
        )
        there = {name for (name,) in cursor.fetchall()}
    parts_of_search = {name for name in there if name.startswith("designs_search_")}
    assert len(parts_of_search) == 4
    assert there | {LOG, STATE, SNAPSHOTS, MARKS} == tables | parts_of_search
    assert steps == {step.name for step in STEPS}
