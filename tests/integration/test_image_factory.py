"""The factory makes rows that the models accept."""

import pytest

from tests.factories.uploads import ImageFactory
from uploads.keys import is_object, is_original


@pytest.mark.django_db
def test_made_images_are_whole_and_differ():
    one, other = ImageFactory(), ImageFactory(content_type="image/png", category="avatars")
    for image in (one, other):
        image.full_clean()
        assert is_original(image.object_key)
        assert all(is_object(rendition["key"]) for rendition in image.renditions)
    assert one.perceptual_hash != other.perceptual_hash
    assert other.object_key.startswith("avatars/")
