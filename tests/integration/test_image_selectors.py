"""Near-duplicates and whose avatar is whose."""

import pytest

from tests.factories.accounts import UserFactory
from tests.factories.uploads import ImageFactory
from uploads import selectors

pytestmark = pytest.mark.django_db

PLAIN = {"dominant_colour": "#808080"}


def test_near_duplicates_are_those_of_few_differing_bits_nearest_first():
    image = ImageFactory(perceptual_hash="00000000000000ff", **PLAIN)
    six = ImageFactory(perceptual_hash="000000000000fcff", **PLAIN)
    one = ImageFactory(perceptual_hash="00000000000000fe", **PLAIN)
    ImageFactory(perceptual_hash="000000000000feff", **PLAIN)  # seven
    assert selectors.near_duplicates(image) == [one, six]
    assert selectors.near_duplicates(image, most=1) == [one]


def test_another_colour_or_category_is_no_duplicate():
    image = ImageFactory(perceptual_hash="00000000000000ff", **PLAIN)
    ImageFactory(perceptual_hash="00000000000000ff", dominant_colour="#ff8080")
    ImageFactory(perceptual_hash="00000000000000ff", category="temp", **PLAIN)
    assert selectors.near_duplicates(image) == []


def test_an_avatar_is_ones_own_if_one_uploaded_it_as_one():
    user, other = UserFactory(), UserFactory()
    avatar = ImageFactory(category="avatars", uploaded_by=user)
    design = ImageFactory(uploaded_by=user)
    assert selectors.own_avatar(user, avatar.object_key).get() == avatar
    for holder, key in [(other, avatar.object_key), (user, design.object_key), (user, "avatars/x")]:
        assert not selectors.own_avatar(holder, key).exists()
