"""The totals after a long walk of all writes that touch them, in any order."""

import datetime
import random
from collections import Counter
from contextlib import suppress

import pytest
from django.utils import timezone

from accounts import services as accounts
from accounts.deletion import delete_nameless
from core.errors import NotFound
from designs import services, totals
from designs.counters import write_counts
from designs.fields import LIVE
from designs.models import Design, Favourite
from tests.factories.accounts import SignInFactory, UserFactory
from tests.factories.uploads import ImageFactory
from tests.integration.test_totals import counted_days, counted_values, kept_days, kept_values

pytestmark = pytest.mark.django_db
TITLES = ("Paithani Saree", "Plain", "Ajrakh Kurta")


class Walk:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.now = timezone.now()
        self.admin = UserFactory(is_admin=True)
        self.sign_ins = [SignInFactory(user=UserFactory()) for _ in range(3)]
        self.images = [ImageFactory() for _ in range(3)]
        self.departed = Counter()

    def moment(self):
        return self.now - datetime.timedelta(days=self.random.randrange(3))

    def design(self):
        return self.random.choice(list(Design.objects.order_by("pk")) or [None])

    def fields(self):
        pick = self.random.choice
        return {
            "title": pick(TITLES),
            "category": pick(["Saree", "Kurta"]),
            "style": pick(["", "Folk", "folk"]),
            "occasion": pick(["", "Wedding"]),
            "status": pick(["draft", "published", "archived"]),
            "image_keys": [image.object_key for image in self.random.sample(self.images, pick([1, 2, 3]))],
        }

    def create(self):
        services.design_create(self.admin, self.fields(), created_at=self.moment())

    def update(self):
        if (design := self.design()) and not design.is_deleted:
            kept = {"created_at": self.moment()} if self.random.random() < 0.3 else {}
            services.design_update(self.admin, design, self.fields(), **kept)

    def delete(self):
        if (design := self.design()) and not design.is_deleted:
            services.design_delete(self.admin, design)

    def restore(self):
        if design := self.design():
            version = self.random.choice([None, self.random.randint(1, design.version)])
            services.design_restore(self.admin, design, version)

    def purge(self):
        if (design := self.design()) and self.random.random() < 0.5:
            services.design_purge(self.admin, design)

    def like(self):
        if design := self.design():
            with suppress(NotFound):
                services.favourite_add(self.random.choice(self.sign_ins), design.pk)

    def move_like(self):
        if like := self.random.choice(list(Favourite.objects.order_by("pk")) or [None]):
            Favourite.objects.filter(pk=like.pk).update(created_at=self.moment())

    def unlike(self):
        if design := self.design():
            with suppress(NotFound):
                services.favourite_remove(self.random.choice(self.sign_ins), design.pk)

    def view(self):
        seen = Counter(
            {
                (self.moment().date().isoformat(), design.pk): self.random.randint(1, 4)
                for design in Design.objects.all()
                if self.random.random() < 0.5
            }
        )
        seen[self.now.date().isoformat(), 999_999] = 1
        write_counts(seen)

    def leave(self):
        if self.random.random() < 0.5:
            return
        place = self.random.randrange(3)
        user = self.sign_ins[place].user
        for like in Favourite.objects.filter(user=user):
            self.departed[like.design_id, like.created_at.date()] += 1
        if self.random.random() < 0.5:
            accounts.user_delete(self.admin, user.pk)
        else:
            delete_nameless(user)
        self.sign_ins[place] = SignInFactory(user=UserFactory())

    def expected(self):
        """What counting gives, and the likes that accounts deleted since gave to designs outside the trash."""
        days = {day: [*figures] for day, figures in counted_days().items()}
        live = set(Design.objects.filter(LIVE).values_list("pk", flat=True))
        for (design_id, day), likes in self.departed.items():
            if design_id in live:
                days.setdefault(day, [0, 0, 0])[1] += likes
        return {day: tuple(figures) for day, figures in days.items()}


STEPS = (
    *(Walk.create, Walk.create, Walk.update, Walk.delete, Walk.restore, Walk.purge),
    *(Walk.like, Walk.like, Walk.move_like, Walk.unlike, Walk.view, Walk.leave),
)


@pytest.mark.parametrize("seed", [1, 2])
def test_totals_are_those_of_the_rows_after_any_writes(seed):
    walk = Walk(seed)
    for _ in range(6):
        for step in walk.random.choices(STEPS, k=10):
            step(walk)
        assert kept_days() == walk.expected()
        kept = {key: count for key, count in kept_values().items() if key[0] != totals.REGION}
        assert folded(kept) == folded(counted_values())
        for design in Design.objects.all():
            assert design.like_count == design.favourites.count()


def folded(values):
    """The counts by value, of which spellings that differ in case alone are one."""
    found = Counter()
    for (field, value, status), count in values.items():
        found[field, value.lower(), status] += count
    return found
