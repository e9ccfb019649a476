"""A ThumbHash painted again: about the picture it was made of."""

import base64
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Picture

from tests.pictures import quartered, quarters_of, textile
from uploads.pipeline.placeholders import data_uri, decoded
from uploads.pipeline.renditions import sketch, thumb_hash


def painted(image):
    uri = data_uri(thumb_hash(sketch(image)))
    head, _, data = uri.partition(",")
    assert head == "data:image/png;base64"
    return Picture.open(io.BytesIO(base64.b64decode(data)))


def distance(one, two):
    """The mean difference of the pixels of two pictures, of 255."""
    two = two.convert("RGB").resize(one.size)
    pairs = zip(one.tobytes(), two.tobytes(), strict=True)
    return sum(abs(a - b) for a, b in pairs) / (one.width * one.height * 3)


@pytest.mark.parametrize("size", [(400, 300), (300, 400), (300, 300), (900, 200)])
def test_a_placeholder_has_the_shape_and_the_colours_of_its_picture(size):
    image = quartered(*size)
    placeholder = painted(image)
    assert max(placeholder.size) == 32
    assert placeholder.width / placeholder.height == pytest.approx(size[0] / size[1], rel=0.35)
    assert quarters_of(placeholder) == ["red", "lime", "blue", "yellow"]


def test_a_placeholder_is_nearer_to_its_own_picture_than_to_another():
    one, other = textile(seed=1), textile(seed=60)
    assert distance(painted(one), one) < distance(painted(one), other)


def test_a_picture_that_is_see_through_has_a_placeholder():
    image = quartered().convert("RGBA")
    image.putalpha(128)
    assert max(painted(image).size) == 32


def test_no_hash_has_no_placeholder():
    assert data_uri("") == ""


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=40))
def test_any_bytes_are_painted_somehow(data):
    assert max(decoded(data).size) == 32
