"""Making the renditions anew."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from PIL import Image as Picture

from tests.factories.accounts import UserFactory
from tests.factories.uploads import ImageFactory
from tests.odd_pictures import turn
from tests.pictures import saved, textile
from uploads import services
from uploads.models import Image
from uploads.pipeline import renditions
from uploads.storage.base import configured_store

pytestmark = pytest.mark.django_db(transaction=True)


def rebuild(**options):
    call_command("rebuild_renditions", workers=2, verbosity=0, stderr=io.StringIO(), **options)


def stored(count=1):
    user = UserFactory(admin=True)
    return [services.image_store(user, saved(textile(700, 900, seed)), "designs") for seed in range(count)]


def test_images_of_an_older_recipe_get_new_renditions_under_new_keys(image_store, monkeypatch):
    rows = stored(5)
    before = {row.object_key: services.rendition_keys(row) for row in rows}
    Image.objects.update(recipe=0)
    monkeypatch.setattr(renditions, "WIDTHS", {320: 40, 640: 70})
    rebuild()
    for row in Image.objects.all():
        small, middling = services.rendition_keys(row)
        old_small, old_middling = before[row.object_key]
        assert row.recipe == renditions.RECIPE
        assert (small != old_small, middling) == (True, old_middling)
        assert {small, middling, row.object_key} <= set(image_store.listed())
        assert old_small not in image_store.listed()


def test_what_is_up_to_date_is_left_alone_unless_all_are_asked_for(image_store):
    [row] = stored()
    [small, _] = services.rendition_keys(row)
    configured_store().delete(small)
    rebuild()
    assert not configured_store().exists(small)
    rebuild(all=True)
    assert configured_store().exists(small)


def test_one_failure_stops_nothing_and_is_tried_again_next_time(image_store):
    first, second = stored(2)
    lost = ImageFactory(recipe=0)
    Image.objects.update(recipe=0)
    with pytest.raises(CommandError, match="1 images are unchanged"):
        rebuild()
    assert set(Image.objects.filter(recipe=0)) == {lost}
    assert set(Image.objects.filter(recipe=renditions.RECIPE)) == {first, second}


def test_whatever_was_stored_is_rebuilt(image_store, settings):
    """Larger than the limits of today, or by rules of yesterday: half of a JPEG."""
    [row, half] = stored(2)
    data = image_store.read(half.object_key)
    image_store.write(half.object_key, data[: len(data) // 2] + b"\xff\xd9", "image/jpeg")
    Image.objects.update(recipe=0)
    settings.MAX_FILE_SIZE, settings.MAX_MEGAPIXELS = 1000, 0.1
    rebuild()
    assert set(Image.objects.filter(recipe=renditions.RECIPE)) == {row, half}


def test_a_webp_under_the_key_of_a_png_is_rebuilt(folder, settings):
    user = UserFactory(admin=True)
    image = Picture.effect_noise((700, 200), 90).quantize(64)
    data = saved(image, "image/png", exif=turn(3), optimize=True)
    settings.MAX_FILE_SIZE = len(data)
    _, address, headers = services.upload_presign(user, "image/png", len(data), "designs")
    assert folder.send(Client(), address, data, headers) == 200
    row = services.upload_complete(user, address.partition("incoming/")[2].partition("?")[0])
    assert (row.content_type, row.object_key[-4:]) == ("image/webp", ".png")
    for key in services.rendition_keys(row):
        configured_store().delete(key)
    rebuild(all=True)
    assert set(services.rendition_keys(Image.objects.get())) < set(folder.listed())
