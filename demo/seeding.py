"""The demo gallery in the database: drawn designs, some people, their likes and views.

Designs are recognised by their titles and people by their names. Existing ones stay unchanged, so a second run
continues where an interrupted one stopped.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from datetime import datetime, timedelta
from itertools import islice

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from demo.pictures import drawn
from demo.plan import DemoDesign, plan
from designs.counters import write_counts
from designs.fields import EDITABLE
from designs.models import Design, Favourite
from uploads.models import Category
from uploads.pipeline.processing import Prepared
from uploads.services import image_store_prepared

BATCH = 24  # designs per transaction
COUNTED_DAYS = 30
VIEWS_A_DAY = 12  # of the most popular design
NAMES = (
    *("aarav", "aditi", "ananya", "arjun", "asha", "bhavana", "chitra", "deepa", "devika", "farah", "gauri"),
    *("gopal", "harini", "imran", "indira", "ishaan", "jaya", "kabir", "kavya", "kiran", "lakshmi", "leela"),
    *("madhav", "meera", "mira", "nandini", "neel", "nikhil", "noor", "padma", "pooja", "priya", "radha"),
    *("rahul", "ravi", "rekha", "rohan", "sana", "shanti", "sunita", "tara", "uma", "usha", "varun", "vidya"),
    *("yamini", "zoya"),
)
PENDING, REJECTED = 5, 1


def missing(count: int, seed: int) -> list[DemoDesign]:
    """Return those of the seed's first `count` designs that the gallery does not have yet."""
    existing = set(Design.objects.values_list("title", flat=True))
    return [demo for demo in plan(count, seed) if demo.title not in existing]


def seed_designs(wanted: Sequence[DemoDesign], people: Sequence[User], pool: Executor) -> Iterator[int]:
    """Draw and store the designs, one transaction per batch; yield the size of each finished batch."""
    now = timezone.now()
    drawings = zip(wanted, pool.map(drawn, wanted), strict=True)
    while batch := list(islice(drawings, BATCH)):
        made = [(demo, new_design(demo, picture, now)) for demo, picture in batch]
        with transaction.atomic():
            Design.objects.bulk_create(row for _, row in made)
            write_counts(Counter(dict(seen for demo, row in made for seen in daily_views(demo, row, now))))
            Favourite.objects.bulk_create(
                like for demo, row in made for like in favourites(demo, row, people, now)
            )
        yield len(batch)


def new_design(demo: DemoDesign, picture: Prepared, now: datetime) -> Design:
    """Return the unsaved row; its picture is stored like any upload."""
    columns = {name: value for name, value in vars(demo).items() if name in EDITABLE}
    image = image_store_prepared(None, picture, Category.DESIGNS)
    # The later views come with their days.
    views = round(demo.view_weight * VIEWS_A_DAY * max(0, demo.created_offset.days - COUNTED_DAYS))
    return Design(**columns, image=image, created_at=now - demo.created_offset, view_count=views)


def views_by_day(demo: DemoDesign) -> list[int]:
    """Return the views of today, yesterday and so on, since the design was created, for at most 30 days."""
    chance = random.Random(f"{demo.picture_seed}/views")  # noqa: S311
    most = demo.view_weight * VIEWS_A_DAY
    return [
        round(most * chance.uniform(0.3, 1.7)) for _ in range(min(COUNTED_DAYS, demo.created_offset.days))
    ]


def daily_views(demo: DemoDesign, design: Design, now: datetime) -> Iterator[tuple[tuple[str, int], int]]:
    """Yield day and key of the design, and its views on that day."""
    for ago, views in enumerate(views_by_day(demo)):
        if views:
            yield ((now - timedelta(days=ago)).date().isoformat(), design.pk), views


def favourites(
    demo: DemoDesign, design: Design, people: Sequence[User], now: datetime
) -> Iterator[Favourite]:
    """Yield the design as a favourite of a share of the people: its `like_weight`."""
    chance = random.Random(f"{demo.picture_seed}/likes")  # noqa: S311
    for user in chance.sample(list(people), round(demo.like_weight * len(people))):
        yield Favourite(user=user, design=design, created_at=now - demo.created_offset * chance.random())


def seed_people() -> list[User]:
    """Create people, some pending and one rejected, and return the approved ones. Nobody can sign in as them."""
    names = User.objects.filter(username__in=NAMES)
    existing = set(names.values_list("username", flat=True))
    people = [person(index) for index, name in enumerate(NAMES) if name not in existing]
    arrivals = {user.username: user.created_at for user in people}
    with transaction.atomic():
        User.objects.bulk_create(people)
        for user in people:  # auto_now_add has overwritten it
            user.created_at = arrivals[user.username]
        User.objects.bulk_update(people, ["created_at"])
    return list(names.filter(is_approved=True).order_by("username"))


def person(index: int) -> User:
    """Return the unsaved user at that place in NAMES: the last ones are rejected, those before them pending."""
    name = NAMES[index]
    chance = random.Random(name)  # noqa: S311
    is_new = index >= len(NAMES) - PENDING - REJECTED
    arrival = timezone.now() - timedelta(
        hours=chance.randrange(20, 72) if is_new else chance.randrange(72, 2000)
    )
    user = User(
        username=name, **User.derived({"username": name}), password=make_password(None), created_at=arrival
    )
    if index >= len(NAMES) - REJECTED:
        user.rejection_reason = "We could not find out who this is."
    user.is_approved = not is_new
    if user.is_approved or user.rejection_reason:
        user.reviewed_at = arrival + timedelta(hours=chance.randrange(1, 20))
    return user
