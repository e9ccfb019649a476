"""The CPU work of an upload, as one function that a process pool can run."""

from dataclasses import dataclass, field

from uploads.pipeline import containers, costs, renditions, validation
from uploads.pipeline.containers.base import Container
from uploads.pipeline.renditions import Rendition


@dataclass(frozen=True)
class Prepared:
    """A checked image with everything that is stored about it. Can be pickled."""

    sent_type: str  # the content type of the file, or image/jpeg for HEIC and AVIF
    content_type: str  # of what is stored: of a PNG that is too large, WebP
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
    sent = validation.whole(validation.check(data))
    stored = validation.upright_in_srgb(sent)
    is_kept = sent.content_type in validation.FORMATS
    return described(stored, sent.content_type if is_kept else stored.content_type)


def prepare_stored(data: bytes) -> Prepared:
    """Compute what is stored about an image once more, of its stored bytes, which are not checked again.

    Raises Invalid (invalid_image) or Unavailable.
    """
    with validation.decoding_errors():
        stored = containers.unpack(data)
    return described(stored, stored.content_type)


def described(stored: Container, sent_type: str) -> Prepared:
    """Return a checked image with its renditions. Raises Invalid, Unavailable."""
    image = validation.draft(stored)
    with validation.memory_for(costs.of_renditions(stored, image)):
        image = validation.pixels(stored, image)
        smaller = renditions.scaled(image, stored.width, stored.height)
        # This frees the whole picture before the encoder takes its own memory.
        image = smaller[0] if smaller else renditions.straight(image)
        small = renditions.sketch(image)
        return Prepared(
            sent_type=sent_type,
            content_type=stored.content_type,
            data=stored.data,
            width=stored.width,
            height=stored.height,
            dominant_colour=renditions.dominant_colour(small),
            thumbhash=renditions.thumb_hash(small),
            perceptual_hash=renditions.perceptual_hash(image.resize((72, 64), reducing_gap=2.0)),
            renditions=[renditions.rendition(one) for one in reversed(smaller)],
        )
