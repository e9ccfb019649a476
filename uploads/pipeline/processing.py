"""The CPU work of an upload, as one function that a process pool can run."""

from dataclasses import dataclass, field

from uploads.pipeline import renditions, validation
from uploads.pipeline.renditions import Rendition


@dataclass(frozen=True)
class Prepared:
    """A checked image with everything that is stored about it. Can be pickled."""

    content_type: str
    data: bytes = field(repr=False)
    width: int  # pixels
    height: int  # pixels
    dominant_colour: str
    thumbhash: str
    perceptual_hash: str
    renditions: list[Rendition] = field(repr=False)


def prepare(data: bytes) -> Prepared:
    """Check a file and compute everything that will be stored. Uses neither the store nor the database.

    Raises TooLarge (file_too_large), Invalid (invalid_image) or Unavailable, as uploads.pipeline.validation says.
    """
    with validation.opened(data) as picture:
        sizes = renditions.renditions(picture.image, picture.width, picture.height)
        small = renditions.sketch(picture.image)
        middling = picture.image.resize((72, 64), reducing_gap=2.0)
        return Prepared(
            content_type=picture.content_type,
            data=picture.data,
            width=picture.width,
            height=picture.height,
            dominant_colour=renditions.dominant_colour(small),
            thumbhash=renditions.thumb_hash(small),
            perceptual_hash=renditions.perceptual_hash(middling),
            renditions=sizes,
        )
