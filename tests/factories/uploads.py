"""Rows of images. They name objects that no store holds: upload one where its bytes matter."""

import base64
import random

import factory

from uploads.keys import new_key, rendition_key
from uploads.models import Category, Image
from uploads.pipeline.renditions import RECIPE


class ImageFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Image

    category = Category.DESIGNS
    content_type = "image/jpeg"
    object_key = factory.LazyAttribute(lambda image: new_key(image.category, image.content_type))
    size = 123_456
    width = 900
    height = 1200
    dominant_colour = factory.Sequence(lambda n: f"#{n * 7919 % 0x1000000:06x}")
    thumbhash = factory.Sequence(lambda n: base64.b64encode(random.Random(n).randbytes(24)).decode())
    perceptual_hash = factory.Sequence(lambda n: f"{random.Random(n).getrandbits(64):016x}")
    recipe = RECIPE
    renditions = factory.LazyAttribute(
        lambda image: [
            {
                "width": width,
                "height": image.height * width // image.width,
                "format": "webp",
                "key": rendition_key(image.object_key, width, image.thumbhash.encode()),
            }
            for width in (320, 640, 1280)
            if width <= image.width
        ]
    )
