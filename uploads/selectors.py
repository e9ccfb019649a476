"""Reads of images."""

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import BooleanField, Case, Exists, OuterRef, QuerySet, Value, When

from accounts.models import User
from core import replica
from core.hooks import image_uses
from uploads.keys import INCOMING
from uploads.models import Category, Image, PendingUpload

Images = QuerySet[Image]

NEAR = 6  # bits of 64 that differ between two pictures that look alike
NEAR_COLOUR = 48  # of 255, in any of red, green and blue


def images(*, category: str | None = None, unused: bool | None = None) -> Images:
    """Return images, newest first, with `in_use`: whether a design or a user shows the image. None does not filter."""
    rows = Image.objects.order_by("-id").annotate(
        in_use=Case(
            *(When(category=category, then=exists) for category, exists in (use() for use in image_uses)),
            default=Value(False),
            output_field=BooleanField(),
        )
    )
    if category is not None:
        rows = rows.filter(category=category)
    return rows if unused is None else rows.filter(in_use=not unused)


def image(key: str, *, held: bool = False, uploaded_by: User | None = None) -> Image | None:
    """Return the image under `key` with `in_use`, of this user if given. `held` locks the row."""
    found = images().select_for_update() if held else images()
    if uploaded_by is not None:
        found = found.filter(uploaded_by=uploaded_by)
    return found.filter(object_key=key).first()


def is_awaited(incoming: str) -> bool:
    """Return whether the bytes under this key of an upload are still to be completed."""
    promised = PendingUpload.objects.filter(object_key=incoming.removeprefix(INCOMING))
    return replica.or_exactly(promised.exists)


def avatar_use() -> tuple[str, Exists]:
    """The hook image_uses: an avatar is in use if a user has set it."""
    return Category.AVATARS, Exists(User.objects.filter(avatar_object_key=OuterRef("object_key")))


def own_avatar(user: AbstractBaseUser, key: str) -> Images:
    """The hook own_avatar: the avatar with this key, if this user uploaded it."""
    return Image.objects.filter(object_key=key, category=Category.AVATARS, uploaded_by=user.pk)


def near_duplicates(image: Image, most: int = 5) -> list[Image]:
    """Return images of the same category that look like this one, the most similar first.

    They differ in at most 6 of 64 bits of the perceptual hash, and have about the same dominant colour: plain
    surfaces share a hash whatever their colour.
    """
    others = Image.objects.filter(category=image.category).exclude(pk=image.pk)
    bits, colour = int(image.perceptual_hash, 16), channels(image.dominant_colour)
    near = []
    for pk, other, other_colour in others.values_list("pk", "perceptual_hash", "dominant_colour").iterator():
        distance = (int(other, 16) ^ bits).bit_count()
        if distance <= NEAR and all(
            abs(one - two) <= NEAR_COLOUR for one, two in zip(colour, channels(other_colour), strict=True)
        ):
            near.append((distance, pk))
    order = [pk for _, pk in sorted(near)[:most]]
    found = Image.objects.in_bulk(order)
    return [found[pk] for pk in order if pk in found]


def channels(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue of #rrggbb."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
