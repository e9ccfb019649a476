"""Plain SQL of core.sql means what Django's own statements mean."""

from datetime import UTC, timedelta, timezone

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from core import sql
from tests.factories.accounts import UserFactory

ZONES = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(timezones=st.just(UTC) | ZONES).filter(lambda moment: 1 < moment.year < 9999))
def test_a_time_is_the_text_that_django_stores(moment):
    assert sql.stored_time(moment) == str(connection.ops.adapt_datetimefield_value(moment))


@pytest.mark.django_db
def test_an_object_made_of_columns_is_the_row_and_reads_the_others_later():
    stored = UserFactory(full_name="Asha")
    made = sql.instance_of(User, "default", id=stored.pk, username=stored.username)
    assert (made, made.username, made.get_deferred_fields()) == (
        stored,
        stored.username,
        {field.attname for field in User._meta.concrete_fields} - {"id", "username"},
    )
    assert made.full_name == "Asha"
    made.full_name = "Asha Rao"
    made.save(update_fields=["full_name"])
    assert User.objects.get().full_name == "Asha Rao"
