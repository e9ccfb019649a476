"""What a night of tidying costs on D1: calls, and the rows that it bills."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from core import replica
from d1backend.protocol.budget import Spender, current_spender
from designs import old_days
from designs.counters import write_counts
from designs.models import DailyCount
from operations.tidy import steps
from operations.tidy.run import run
from tests.factories.accounts import SignInFactory, UserFactory
from tests.factories.designs import DesignFactory

pytestmark = pytest.mark.django_db(transaction=True)

d1_only = pytest.mark.skipif(not replica.is_used(), reason="only D1 with its replica (TEST_ENGINE=d1)")
DAY = timedelta(days=1)


def used_by(*names):
    """What the database counts while the steps of these names run, and how many they removed."""
    chosen = [step for step in steps.STEPS if step.name in names or not names]
    list(run(chosen, dry_run=True))  # the connection is open, the catalogue of the schema known
    earlier = connection.usage
    done = list(run(chosen, dry_run=False))
    return connection.usage.since(earlier), [one.outcome.count for one in done]


@d1_only
def test_a_night_with_nothing_to_do_is_a_few_calls(image_store):
    DesignFactory.create_batch(3)
    used, removed = used_by()
    assert sum(removed) == 0
    assert used.round_trips <= 18
    assert used.rows_written <= 3


@d1_only
def test_old_rows_take_two_calls_a_batch_and_no_more_than_their_indexes():
    SignInFactory.create_batch(30, user=UserFactory(), ended_at=timezone.now() - 8 * DAY)
    used, removed = used_by("sign_ins")
    assert removed == [30]
    assert used.round_trips == 2
    assert used.rows_written <= 3 * 30 + 2


@d1_only
def test_counts_of_days_take_one_call_a_batch_and_four_rows_each():
    designs = DesignFactory.create_batch(20)
    days = [old_days.first_kept_day() - n * DAY for n in (1, 2, 3, 4, 5)]
    write_counts(Counter({(day.isoformat(), design.pk): 1 for day in days for design in designs}))
    used, removed = used_by("day_counts")
    assert removed == [100]
    assert used.round_trips == 3
    # Of each: emptied, and deleted with its index. Of each design and day: its month, and its total with the log.
    assert used.rows_written <= 3 * 100 + 2 * 20 + 4 * len(days) + 10
    earlier = connection.usage
    assert old_days.fold() == 0
    assert connection.usage.since(earlier).rows_read <= 2 * len(days) + 5
    assert DailyCount.objects.count() == 20


def test_the_steps_spend_as_those_who_spend_last():
    seen = []
    step = steps.counted("any", "anything", lambda dry_run: seen.append(current_spender()) or 0)
    list(run([step], dry_run=False))
    assert seen == [(Spender.REST, "tidy")]
    assert current_spender() == (Spender.REST, "")
