"""Designs with images, favourites, views by day, synonyms and counted searches."""

import factory
from django.db.models import F

from designs.models import DailyCount, DayTotal, Design, DesignImage, Favourite, SearchCount, Synonym
from designs.search_counts import this_week
from tests.factories.accounts import UserFactory
from tests.factories.uploads import ImageFactory


class DesignFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Design

    title = factory.Sequence(lambda number: f"Design {number}")
    image = factory.SubFactory(ImageFactory)
    category = "Saree"


class DesignImageFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = DesignImage

    design = factory.SubFactory(DesignFactory)
    place = 1
    image = factory.SubFactory(ImageFactory)


class FavouriteFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Favourite

    user = factory.SubFactory(UserFactory)
    design = factory.SubFactory(DesignFactory)


class DailyCountFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = DailyCount
        skip_postgeneration_save = True

    design = factory.SubFactory(DesignFactory)
    views = 1

    @factory.post_generation
    def total(self, create, extracted, **kwargs):
        """The writer of views adds them to the day's total; no trigger does."""
        DayTotal.objects.get_or_create(day=self.day)
        DayTotal.objects.filter(day=self.day).update(views=F("views") + self.views)


class SynonymFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Synonym

    kind = "same"
    phrase = factory.Sequence(lambda number: f"sari {number}")
    words = "saree"


class SearchCountFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = SearchCount

    week = factory.LazyFunction(this_week)
    phrase = factory.Sequence(lambda number: f"toran {number}")
    count = 3
    found = 0
