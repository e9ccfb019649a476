"""A catalogue of any size for benchmarks: seed_demo's rows, with the names of pictures that do not exist.

    python -m benchmarks.catalogue DESIGNS USERS [FAVOURITES]

creates the tables and the rows in the gallery's database, and prints an access token per user, one per line. With
FAVOURITES every user gets that many, which SQL makes, in no order of taste; otherwise 30.
"""

import base64
import os
import random
import sys
from datetime import datetime, timedelta
from itertools import islice

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gallery_project.settings")
django.setup()

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import SignIn, User
from accounts.tokens import AccessToken
from core.triggers import create_triggers, drop_triggers
from demo.plan import DemoDesign, plan
from designs.fields import EDITABLE
from designs.models import Design, Favourite
from uploads.models import Category, Image
from uploads.pipeline.renditions import RECIPE

BATCH = 1000  # designs per transaction
PASSWORD = "six yards of silk"
FAVOURITES_EACH = 30
FAVOURITES_AT_ONCE = 50_000  # rows of one statement, which D1 runs for at most 30 s
STEP = 7919  # a prime number, so a user's favourites are different designs
WIDTHS = (320, 640, 900)
MAKE_FAVOURITES = """
    INSERT INTO user_favorites (user_id, design_id, created_at)
    WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < %s)
    SELECT users.id, 1 + (users.id * 31 + n * %s) %% %s, datetime('now', '-' || n || ' minutes')
    FROM users, numbers WHERE users.id BETWEEN %s AND %s
"""
COUNT_LIKES = """
    UPDATE designs SET like_count = likes.count
    FROM (SELECT design_id, count(*) AS count FROM user_favorites GROUP BY 1) AS likes
    WHERE designs.id = likes.design_id
"""


def fill(designs: int, users: int, favourites: int | None = None) -> list[str]:
    """Create designs in empty tables, and approved users `reader0`, `reader1`, … with favourites.

    Returns the users' access tokens.
    """
    now, wanted = timezone.now(), enumerate(plan(designs, seed=1))
    # It is faster to do once what triggers do for each row. Totals by value or day stay empty; only the console
    # reads them.
    with connection.schema_editor() as editor:
        drop_triggers(editor, "designs")
    while batch := list(islice(wanted, BATCH)):
        with transaction.atomic():
            Image.objects.bulk_create(image(number) for number, _ in batch)
            Design.objects.bulk_create(design(number, demo, now) for number, demo in batch)
    tokens = make_readers(users, now, FAVOURITES_EACH if favourites is None else 0)
    if favourites:
        make_favourites(designs, favourites)
    with connection.cursor() as cursor:
        cursor.execute(COUNT_LIKES)
        cursor.execute("INSERT INTO designs_search (designs_search) VALUES ('rebuild')")
    with connection.schema_editor() as editor:
        create_triggers(editor, "designs")
    Design.objects.filter(pk=1).update(view_count=0, updated_at=now)  # the first version
    return tokens


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
        renditions=[rendition(number, width) for width in WIDTHS],
    )


def rendition(number: int, width: int) -> dict[str, str | int]:
    name = key(number).removesuffix(".jpg")
    return {"width": width, "height": width * 4 // 3, "format": "webp", "key": f"{name}_{width}.webp"}


def key(number: int) -> str:
    return f"designs/2026/11/{1_790_000_000 + number}_{random.Random(number).getrandbits(128):032x}.jpg"


def design(number: int, demo: DemoDesign, now: datetime) -> Design:
    columns = {name: value for name, value in vars(demo).items() if name in EDITABLE}
    return Design(
        **columns,
        image_id=key(number),
        created_at=now - demo.created_offset,
        view_count=round(demo.view_weight * 2000),
    )


def make_favourites(designs: int, each: int) -> None:
    """Give every user `each` favourites. Requires that `designs` is no multiple of STEP."""
    users = list(User.objects.order_by("pk").values_list("pk", flat=True))
    most = max(1, FAVOURITES_AT_ONCE // each)
    for start in range(0, len(users), most):
        batch = users[start : start + most]
        with connection.cursor() as cursor:
            cursor.execute(MAKE_FAVOURITES, [each, STEP, designs, batch[0], batch[-1]])


def make_readers(count: int, now: datetime, favourites: int) -> list[str]:
    password = make_password(PASSWORD)
    names = [f"reader{number}" for number in range(count)]
    designs = list(Design.objects.order_by("pk").values_list("pk", flat=True)[:5000])
    likes = min(favourites, len(designs))
    with transaction.atomic():
        readers = User.objects.bulk_create(
            User(**fields, **User.derived(fields), is_approved=True, reviewed_at=now)
            for fields in ({"username": name, "password": password} for name in names)
        )
        sign_ins = SignIn.objects.bulk_create(
            SignIn(user=reader, refresh_id=f"{reader.pk:032x}", expires_at=now + timedelta(days=30))
            for reader in readers
        )
        Favourite.objects.bulk_create(
            Favourite(user=reader, design_id=one, created_at=now - timedelta(minutes=place))
            for reader in readers
            for place, one in enumerate(random.Random(reader.username).sample(designs, likes))
        )
    return [str(AccessToken.of(sign_in)) for sign_in in sign_ins]


def main() -> None:
    designs, users, *favourites = map(int, sys.argv[1:])
    settings.DATA.mkdir(parents=True, exist_ok=True)
    call_command("migrate", verbosity=0)
    sys.stdout.write("\n".join(fill(designs, users, *favourites)) + "\n")


if __name__ == "__main__":
    main()
