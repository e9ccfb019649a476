"""Turns untrusted bytes into an image that is safe to store: checked, upright, sRGB, without metadata.

The stored bytes are the sender's own without their metadata, if browsers show them correctly. An image that must be
turned, or has another colour space or depth, is encoded again in its own format, HEIC and AVIF as JPEG.
"""

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from django.conf import settings
from PIL import Image, ImageFile

from core.errors import GalleryError, Invalid, TooLarge
from uploads.pipeline import colour, containers, costs, decoding, encoding, modes, native, renditions, webp
from uploads.pipeline.containers import jpeg, png
from uploads.pipeline.containers.base import Container, DamagedError, UnsupportedError

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
LOOKAHEAD = 8  # bytes that libjpeg reads ahead
LAST, STEP = ImageFile.MAXBLOCK, 32  # bytes at the end of a JPEG's scan, which its decoder gets in steps
PADDING = 48  # bytes after the pixels that are left where they are
# Two ends of a scan that decode to different pixels.
FILLINGS = (bytes(64), bytes(range(17, 250, 3)))
MOST_SECONDS = 20.0  # of decoding a file


class LimitedFile(io.BytesIO):
    """A file that a thread may decode for MOST_SECONDS of its own time; Pillow reads it in pieces."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.deadline = time.thread_time() + MOST_SECONDS

    def read(self, size: int | None = -1, /) -> bytes:
        if time.thread_time() > self.deadline:
            raise TimeoutError
        return super().read(size)


class SteppedFile(LimitedFile):
    """A file whose end Pillow gets in small steps: where it stands tells how much the decoder needed."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size == ImageFile.MAXBLOCK:  # asked for by the decoder
            left = self.getbuffer().nbytes - self.tell()
            size = min(size, left - LAST) if left > LAST else STEP
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
    with decoding_errors():
        container = containers.unpack(data)
    pixels = container.width * container.height
    if not 0 < pixels <= settings.MAX_MEGAPIXELS * 1_000_000:
        raise invalid_image(f"An image may have at most {settings.MAX_MEGAPIXELS} megapixels.")
    return container


def whole(container: Container) -> Container:
    """Return the image without what follows its pixels. Raises Invalid if any pixel is missing, Unavailable.

    Decoders show what is missing as grey or black. A WebP that is cut off fails in its decoder.
    """
    data = container.data
    if container.content_type == "image/png":
        with memory_for(costs.FIXED), decoding_errors():
            data = png.whole(data)
    elif container.content_type == "image/jpeg":
        with decoding_errors():
            needed = costs.of_decoding(container, smallest(opened_lazily(container)))
        with memory_for(needed + costs.FIXED), decoding_errors():
            data = whole_scans(data) if container.several_scans else whole_scan(data)
    return replace(container, data=data)


def whole_scan(data: bytes) -> bytes:
    """Return a JPEG of one scan without what follows its pixels. Raises OSError if any pixel is missing.

    Without the end mark, libjpeg asks for more bytes until it has decoded the last pixel, and then for none.
    """
    scan = data.removesuffix(jpeg.EOI)
    file = SteppedFile(scan + bytes(LOOKAHEAD))
    smallest(Image.open(file, formats=["JPEG"])).load()
    end = file.tell()
    if end > len(scan) - PADDING:
        return data
    shorter = scan[:end] + jpeg.EOI
    # Of a long rest, the first time takes away all but a block.
    return shorter if end > len(scan) - LAST else whole_scan(shorter)


def whole_scans(data: bytes) -> bytes:
    """Return the JPEG. Raises DamagedError if a block of it has no value.

    A progressive one may be cut off after the scans that give each block its mean: all of it can be seen.
    """
    one, other = (jpeg.with_means_alone(data, filling) for filling in FILLINGS)
    if smallest_pixels(one) != smallest_pixels(other):
        raise DamagedError("The JPEG is cut off.")
    return data


def smallest(image: Image.Image) -> Image.Image:
    """Return a JPEG, not decoded, at an eighth of its size: then each block is one pixel, its mean."""
    image.draft(image.mode, (max(1, image.width // 8), max(1, image.height // 8)))
    return image


def smallest_pixels(data: bytes) -> bytes:
    return smallest(Image.open(LimitedFile(data), formats=["JPEG"])).tobytes()


def upright_in_srgb(container: Container) -> Container:
    """Return the image, encoded again if browsers would not show its bytes correctly. Raises Invalid, Unavailable.

    Raises TooLarge for a PNG that is too large, and too wide or tall for WebP.
    """
    if container.content_type not in FORMATS:
        return jpeg_of(container)
    turn = TURNS.get(orientation(container.exif))
    with decoding_errors():
        image: Image.Image = opened_lazily(container)
        correct = colour.correction(container, image)
        is_right = turn is None and correct is None and container.bits == 8 and image.mode != "CMYK"
        if is_right and len(container.data) <= settings.MAX_FILE_SIZE:
            return container
        needed = costs.of_correction(container, image)
        encoders = encoding.encoders(container.content_type, image, corrected=correct is not None)
    for encoder in encoders:
        with memory_for(max(needed, encoder.cost)), decoding_errors():
            # One name for the result of each step, so that its input is freed.
            image = loaded(container, opened_lazily(container))
            image = correct(image) if correct else modes.plain(image)
            if turn is not None:
                image = image.transpose(turn)
            data = encoder.encode(image)
        if len(data) <= settings.MAX_FILE_SIZE:
            return containers.unpack(data)
    raise file_too_large()


def jpeg_of(container: Container) -> Container:
    """Return a HEIC or AVIF image as a JPEG, upright, in sRGB, on white where it is see-through. Raises as above."""
    total, own = costs.of_native(container)
    with memory_for(total), decoding_errors():
        image, turn = native.decoded(container, own)
        correct = colour.correction(container, image)
        image = correct(image) if correct else modes.plain(image)
        image = modes.on_white(image)
        if turn in TURNS:
            image = image.transpose(TURNS[turn])
        data = encoding.jpeg(image, {})
    if len(data) > settings.MAX_FILE_SIZE:
        raise file_too_large()
    return containers.unpack(data)


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
        image = modes.plain(image)
        return modes.converted(image, "RGBa") if image.mode == "RGBA" else image


@contextmanager
def memory_for(size: int) -> Iterator[None]:
    """Hold `size` bytes of the host's budget for decoding. Raises Invalid if they are more than all of it."""
    if size > settings.DECODING_MEMORY:
        raise invalid_image(
            "This picture needs more memory than this host has: make it smaller, or save it upright in sRGB as JPEG."
        )
    with decoding.decoding(size):
        yield


def opened_lazily(container: Container) -> ImageFile.ImageFile:
    """Return the image with only its header decoded."""
    image = Image.open(LimitedFile(container.data), formats=[FORMATS[container.content_type]])
    modes.read_transparency(image, container)
    return image


def loaded(container: Container, image: Image.Image) -> Image.Image:
    """Return the image decoded. Raises what Pillow raises."""
    if container.content_type == "image/webp":
        alpha = image.mode == "RGBA"
        return webp.decoded(container.data, container.width, container.height, alpha=alpha)
    if container.bits == 16 and image.mode == "RGB" and "transparency" in image.info:
        return modes.with_sixteen_bits(image, opened_lazily(container))
    image.load()
    return image


@contextmanager
def decoding_errors() -> Iterator[None]:
    """Raise Invalid for whatever Pillow raises about the content of a file."""
    try:
        yield
    except GalleryError:
        raise
    except (DamagedError, UnsupportedError) as error:
        raise invalid_image(str(error)) from error
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
