"""Designs with images, favourites, and views by day."""

import factory

from designs.models import DailyCount, Design, Favourite
from tests.factories.accounts import UserFactory
from tests.factories.uploads import ImageFactory


class DesignFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Design

    title = factory.Sequence(lambda number: f"Design {number}")
    image = factory.SubFactory(ImageFactory)
    category = "Saree"


class FavouriteFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Favourite

    user = factory.SubFactory(UserFactory)
    design = factory.SubFactory(DesignFactory)


class DailyCountFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = DailyCount

    design = factory.SubFactory(DesignFactory)
    views = 1
