"""A catalogue of any size for benchmarks: rows as seed_demo makes them, naming pictures that no store holds."""

import base64
import random
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from accounts.models import SignIn, User, username_key
from accounts.tokens import AccessToken
from designs.demo.plan import DemoDesign, plan
from designs.models import Design, Favourite
from designs.services import EDITABLE
from uploads.models import Category, Image
from uploads.renditions import RECIPE

BATCH = 2000  # designs of one transaction
PASSWORD = "six yards of silk"
FAVOURITES_EACH = 30
WIDTHS = (320, 640, 900)


def fill(designs: int, users: int) -> None:
    """Bring the catalogue to `designs` designs, and make `users` approved users with favourites."""
    present, now = Design.objects.count(), timezone.now()
    wanted = islice(enumerate(plan(designs, seed=1)), present, None)
    while batch := list(islice(wanted, BATCH)):
        with transaction.atomic():
            Image.objects.bulk_create(image(number) for number, _ in batch)
            Design.objects.bulk_create(design(number, demo, now) for number, demo in batch)
    make_users(users)


def image(number: int) -> Image:
    chance = random.Random(number)
    return Image(
        object_key=key(number),
        category=Category.DESIGNS,
        content_type="image/jpeg",
        size=chance.randrange(90_000, 900_000),
        width=900,
        height=1200,
        dominant_colour=f"#{chance.getrandbits(24):06x}",
        thumbhash=base64.b64encode(chance.randbytes(24)).decode(),
        perceptual_hash=f"{chance.getrandbits(64):016x}",
        recipe=RECIPE,
        renditions=[
            {
                "width": width,
                "height": width * 4 // 3,
                "format": "webp",
                "key": f"{key(number)[:-4]}_{width}.webp",
            }
            for width in WIDTHS
        ],
    )


def key(number: int) -> str:
    return f"designs/2026/11/{1_790_000_000 + number}_{random.Random(number).getrandbits(128):032x}.jpg"


def design(number: int, demo: DemoDesign, now: datetime) -> Design:
    columns: dict[str, Any] = {name: value for name, value in vars(demo).items() if name in EDITABLE}
    return Design(
        **columns,
        image_id=key(number),
        created_at=now - demo.created_offset,
        view_count=round(demo.view_weight * 2000),
    )


def make_users(count: int) -> None:
    """Approved users `reader0`, `reader1`, …, each with a sign-in and some favourites."""
    now, password = timezone.now(), make_password(PASSWORD)
    names = [
        f"reader{number}"
        for number in range(User.objects.filter(username__startswith="reader").count(), count)
    ]
    designs = list(Design.objects.values_list("pk", flat=True)[:5000])
    with transaction.atomic():
        people = User.objects.bulk_create(
            User(
                username=name,
                username_key=username_key(name),
                password=password,
                is_approved=True,
                reviewed_at=now,
            )
            for name in names
        )
        SignIn.objects.bulk_create(
            SignIn(user=user, refresh_id=f"{user.pk:032x}", expires_at=now + timedelta(days=30))
            for user in people
        )
        Favourite.objects.bulk_create(
            Favourite(user=user, design_id=design_id, created_at=now - timedelta(minutes=place))
            for user in people
            for place, design_id in enumerate(
                random.Random(user.pk).sample(designs, min(FAVOURITES_EACH, len(designs)))
            )
        )


def tokens(count: int) -> list[str]:
    """Access tokens of the first `count` readers."""
    sign_ins = (
        SignIn.objects.select_related("user").filter(user__username__startswith="reader").order_by("pk")
    )
    return [str(AccessToken.of(sign_in)) for sign_in in sign_ins[:count]]
