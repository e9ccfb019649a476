"""The smaller sizes, and what an app paints before they come."""

import base64
import io
import pickle

import pytest
import thumbhash
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from tests.pictures import quartered, saved, textile
from uploads.pipeline import renditions, validation
from uploads.pipeline.processing import prepare
from uploads.selectors import channels


def made_of(image):
    return [renditions.rendition(one) for one in reversed(renditions.scaled(image, *image.size))]


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 1500), st.integers(1, 1500))
def test_no_rendition_is_larger_than_its_image_and_each_keeps_its_shape(width, height):
    made = made_of(Image.new("RGB", (width, height)))
    assert [one.width for one in made] == [w for w in (320, 640, 1280) if w <= width]
    for one in made:
        assert one.height == max(1, round(height * one.width / width))
        opened = Image.open(io.BytesIO(one.data))
        assert (opened.format, opened.size) == ("WEBP", (one.width, one.height))


def test_a_wider_rendition_is_never_made_of_fewer_pixels(monkeypatch):
    monkeypatch.setitem(renditions.WIDTHS, 1920, 75)
    # Decoded at half its size, as it may be for a rendition of 1280 pixels, it would have to be enlarged.
    container = validation.check(saved(Image.effect_noise((2600, 64), 80).convert("RGB")))
    image = validation.pixels(container, validation.draft(container))
    assert image.width >= 1920
    widest = renditions.scaled(image, container.width, container.height)[0]
    assert widest.width == 1920


def test_a_very_tall_picture_has_the_sizes_that_fit():
    assert renditions.sizes(640, 30_000) == []
    assert renditions.sizes(1280, 20_000) == [(320, 5_000)]


def test_a_rendition_has_at_most_4_megapixels():
    assert renditions.sizes(1280, 3_125) == [(1280, 3_125), (640, 1_562), (320, 781)]
    assert renditions.sizes(1280, 3_126) == [(640, 1_563), (320, 782)]


def test_the_same_picture_gives_the_same_bytes():
    data = saved(textile())
    assert prepare(data) == prepare(data)


def test_what_was_prepared_can_travel_between_processes():
    prepared = prepare(saved(textile()))
    assert pickle.loads(pickle.dumps(prepared)) == prepared


@pytest.mark.parametrize("colour", ["#b03060", "#ffffff", "#000000", "#0a5f38"])
def test_the_dominant_colour_is_that_of_the_largest_part(colour):
    image = Image.new("RGBA", (300, 400), colour)
    image.paste("#ffd700", (0, 0, 120, 400))
    found = renditions.dominant_colour(renditions.sketch(image))
    assert channels(found) == pytest.approx(channels(colour), abs=6)


def test_what_is_see_through_counts_as_white():
    clear = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    assert prepare(saved(clear, "image/png")).dominant_colour == "#ffffff"


def test_the_thumbhash_tells_shape_and_average_colour():
    prepared = prepare(saved(Image.new("RGB", (300, 600), (200, 40, 90)), "image/png"))
    hashed = list(base64.b64decode(prepared.thumbhash))
    red, green, blue, alpha = thumbhash.thumb_hash_to_average_rgba(hashed)
    assert (red * 255, green * 255, blue * 255) == pytest.approx((200, 40, 90), abs=12)
    assert alpha == 1
    assert thumbhash.thumb_hash_to_approximate_aspect_ratio(hashed) < 0.7


def distance(one, other):
    return (hash_of(*one) ^ hash_of(*other)).bit_count()


def hash_of(image, content_type, options):
    return int(prepare(saved(image, content_type, **options)).perceptual_hash, 16)


@pytest.mark.parametrize(
    "other",
    [
        (textile(), "image/jpeg", {"quality": 40}),
        (textile().resize((450, 600)), "image/webp", {"quality": 60}),
        (ImageEnhance.Brightness(textile()).enhance(1.1), "image/jpeg", {}),
    ],
)
def test_the_same_picture_saved_otherwise_has_nearly_the_same_hash(other):
    assert distance((textile(), "image/png", {}), other) <= 6


def test_another_picture_has_another_hash():
    assert distance((textile(seed=1), "image/png", {}), (quartered(), "image/png", {})) > 12
