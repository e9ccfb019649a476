"""Turns untrusted bytes into an image that is safe to store: checked, upright, sRGB, without metadata.

The stored bytes are the sender's own without their metadata, if browsers show them correctly. An image that must be
turned, or has another colour space or depth, is encoded again in its own format.
"""

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from PIL import Image, ImageCms, JpegImagePlugin

from core.errors import GalleryError, Invalid, TooLarge
from uploads.pipeline import containers, costs, decoding, renditions, webp
from uploads.pipeline.containers import Container, DamagedError, UnsupportedError

FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
ORIENTATION = 0x0112  # EXIF 2.32, table 4
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
JPEG_QUALITY = 90  # if the sender's own quantisation tables cannot be used
WEBP_QUALITY = 90
STRIP = 64  # rows that are converted at once
MOST_SECONDS = 20.0  # of decoding a file
SRGB = ImageCms.createProfile("sRGB")


class LimitedFile(io.BytesIO):
    """A file that a thread may decode for MOST_SECONDS of its own time; Pillow reads it in pieces."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.deadline = time.thread_time() + MOST_SECONDS

    def read(self, size: int | None = -1, /) -> bytes:
        if time.thread_time() > self.deadline:
            raise TimeoutError
        return super().read(size)


def invalid_image(sentence: str) -> Invalid:
    return Invalid(sentence, code="invalid_image", fields={"file": [sentence]})


def file_too_large(field: str = "file") -> TooLarge:
    """Return the exception for more bytes than MAX_FILE_SIZE."""
    sentence = f"An image may have at most {settings.MAX_FILE_SIZE:,} bytes."
    return TooLarge(sentence, code="file_too_large", fields={field: [sentence]})


def check(data: bytes) -> Container:
    """Return the image in `data`, not decoded. Raises TooLarge, or Invalid with code invalid_image."""
    if len(data) > settings.MAX_FILE_SIZE:
        raise file_too_large()
    if not data:
        raise invalid_image("The file is empty.")
    try:
        container = containers.unpack(data)
    except (UnsupportedError, DamagedError) as error:
        raise invalid_image(str(error)) from error
    pixels = container.width * container.height
    if not 0 < pixels <= settings.MAX_MEGAPIXELS * 1_000_000:
        raise invalid_image(f"An image may have at most {settings.MAX_MEGAPIXELS} megapixels.")
    return container


def upright_in_srgb(container: Container) -> Container:
    """Return the image, encoded again if browsers would not show its bytes correctly. Raises Invalid, Unavailable."""
    turn, profile = TURNS.get(orientation(container.exif)), foreign_profile(container.profile)
    with decoding_errors():
        image = opened_lazily(container)
        if turn is None and profile is None and container.bits == 8 and image.mode != "CMYK":
            return container
        needed = costs.of_correction(container, image)
    with memory_for(needed), decoding_errors():
        options = save_options(image, container.content_type)
        # One name for the result of each step, so that its input is freed.
        image = loaded(container, image)
        image = in_srgb(image, profile)
        if turn is not None:
            image = image.transpose(turn)
        return containers.unpack(encoded(image, options))


def draft(container: Container) -> Image.Image:
    """Return the image with only its header decoded; a JPEG at a fraction of its size, if that is enough.

    Then all of its bytes are decoded, too, in much less memory. Raises Invalid.
    """
    with decoding_errors():
        image = opened_lazily(container)
        image.draft(image.mode, (max(renditions.WIDTHS), 1))
        return image


def pixels(container: Container, image: Image.Image) -> Image.Image:
    """Return the image completely decoded, in RGB or RGBX, or in RGBa if any of it is transparent. Raises Invalid.

    Pillow resizes a picture with alpha in RGBa, and of one in RGBA would keep both.
    """
    with decoding_errors():
        image = loaded(container, image)
        if image.mode == "RGBX":
            return image
        image = plain(image)
        return converted(image, "RGBa") if image.mode == "RGBA" else image


@contextmanager
def memory_for(size: int) -> Iterator[None]:
    """Hold `size` bytes of the host's budget for decoding. Raises Invalid if they are more than all of it."""
    if size > settings.DECODING_MEMORY:
        raise invalid_image(
            "This picture needs more memory than this host has: make it smaller, or save it upright in sRGB as JPEG."
        )
    with decoding.decoding(size):
        yield


def opened_lazily(container: Container) -> Image.Image:
    """Return the image with only its header decoded."""
    return Image.open(LimitedFile(container.data), formats=[FORMATS[container.content_type]])


def loaded(container: Container, image: Image.Image) -> Image.Image:
    """Return the image decoded. Raises Invalid for a PNG with too few pixels, and what Pillow raises."""
    if container.content_type == "image/webp":
        alpha = image.mode == "RGBA"
        return webp.decoded(container.data, container.width, container.height, alpha=alpha)
    # Unpacked here, where few do so at one time: of many megapixels it takes a good part of a second.
    if container.content_type == "image/png" and not containers.png_is_whole(container.data):
        raise invalid_image("The PNG is cut off.")
    image.load()
    return image


@contextmanager
def decoding_errors() -> Iterator[None]:
    """Raise Invalid for whatever Pillow raises about the content of a file."""
    try:
        yield
    except GalleryError:
        raise
    except (
        OSError,
        SyntaxError,
        ValueError,
        ArithmeticError,
        LookupError,
        Image.DecompressionBombError,
    ) as error:
        raise invalid_image("The image is damaged or cut off.") from error


def orientation(exif: bytes) -> int:
    """The EXIF orientation, 1 to 8; 1 if it is missing or unreadable."""
    tags = Image.Exif()
    try:
        tags.load(exif)
        return int(tags.get(ORIENTATION, 1))
    except Exception:  # noqa: BLE001  Pillow raises many kinds about a broken block, which is ignored
        return 1


def foreign_profile(icc: bytes) -> ImageCms.ImageCmsProfile | None:
    """The colour profile if it is readable and not sRGB itself."""
    if not icc:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        description = ImageCms.getProfileDescription(profile)
    except (OSError, ImageCms.PyCMSError):
        return None
    return None if description.startswith("sRGB") else profile


def plain(image: Image.Image) -> Image.Image:
    """Return the image in 8-bit RGB, or RGBA if any of it is transparent."""
    if image.mode in ("RGB", "RGBA"):
        if image.mode == "RGB" and "transparency" in image.info:
            return converted(image, "RGBA")
        return image
    if image.mode.startswith("I"):
        image = eight_bits(image)
    see_through = image.mode in ("LA", "PA", "La") or "transparency" in image.info
    return converted(image, "RGBA" if see_through else "RGB")


def converted(image: Image.Image, mode: str) -> Image.Image:
    """Return the image in another mode, and free it in the old one, which callers may still have."""
    result = image.convert(mode)
    image.close()
    return result


def eight_bits(image: Image.Image) -> Image.Image:
    """Return a grey image of 16 bits in L. Pillow's own conversion would cut off what is brighter than 255."""
    grey = Image.new("L", image.size)
    for top in range(0, image.height, STRIP):
        strip = image.crop((0, top, image.width, min(top + STRIP, image.height)))
        grey.paste(strip.convert("I").point(lambda value: value * (1 / 256)).convert("L"), (0, top))
    return grey


def in_srgb(image: Image.Image, profile: ImageCms.ImageCmsProfile | None) -> Image.Image:
    """Return the image in sRGB. Ignores a profile that does not fit its mode, as browsers do."""
    if profile is None:
        return plain(image)
    if image.mode != "CMYK":
        image = plain(image)
    target = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        in_place = image.mode == target
        return ImageCms.profileToProfile(image, profile, SRGB, outputMode=target, inPlace=in_place) or image
    except ImageCms.PyCMSError:
        return plain(image)


def save_options(source: Image.Image, content_type: str) -> dict[str, Any]:
    """Return the options that save an image in the format and quality of `source`."""
    if content_type == "image/png":
        return {"format": "PNG", "compress_level": 6}
    if content_type == "image/webp":
        return {"format": "WEBP", "quality": WEBP_QUALITY, "method": 2}
    if source.mode == "RGB" and isinstance(source, JpegImagePlugin.JpegImageFile):
        sampling = JpegImagePlugin.get_sampling(source)
        # Its own quantisation tables lose the least.
        return {"format": "JPEG", "qtables": source.quantization, "subsampling": max(sampling, 0)}
    return {"format": "JPEG", "quality": JPEG_QUALITY}


def encoded(image: Image.Image, options: dict[str, Any]) -> bytes:
    """Return the image as a file without metadata."""
    if options["format"] == "WEBP" and image.mode == "RGB":
        return webp.encoded(image, options["quality"])
    image.info = {}
    out = io.BytesIO()
    image.save(out, **options)
    return out.getvalue()
