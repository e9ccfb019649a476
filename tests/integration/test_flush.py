"""`manage.py flush` leaves nothing behind, though triggers count what it deletes."""

import pytest
from django.core.management import call_command

from designs.models import DayTotal, ValueTotal
from tests.factories.accounts import UserFactory
from tests.factories.designs import DailyCountFactory, DesignFactory, FavouriteFactory
from uploads.models import ImageTotal

pytestmark = pytest.mark.django_db(transaction=True)


def test_totals_are_empty_too():
    user = UserFactory()
    for design in DesignFactory.create_batch(3):
        FavouriteFactory(user=user, design=design)
        DailyCountFactory(design=design, day="2026-11-01", views=7)
    call_command("flush", "--no-input", verbosity=0)
    for model in (DayTotal, ValueTotal, ImageTotal):
        assert not model.objects.exists(), model
