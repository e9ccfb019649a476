"""The most memory that the work on a picture holds at any time, in bytes.

The factors are measured (`make bench-memory`), as bytes for each pixel. Pillow keeps one byte for a pixel of L, P and
1, two of I;16, and four of every other mode. The bytes of the files are not counted.
"""

from PIL import Image, JpegImagePlugin

from uploads.pipeline import renditions
from uploads.pipeline.containers.base import Container

FIXED = 4_000_000  # bytes: tables, rows, and buffers of the encoders
PLAIN = 4  # bytes of a pixel in RGB or RGBA
# What decoders and encoders of WebP hold beside the pixels.
WEBP_LOSSLESS, WEBP_ALPHA = 4, 2
WEBP_ENCODER, WEBP_ALPHA_ENCODER, WEBP_LOSSLESS_ENCODER = 6, 28, 36
# What the process that decodes a HEIC or AVIF file holds: itself with its libraries, and for each pixel.
INTERPRETER, COPIES = 28_000_000, 3  # of the file
NATIVE_DECODER = {"image/heic": 8, "image/avif": 12}
NATIVE_PIXELS = {"image/heic": 4, "image/avif": 7}  # while it hands them over
BYTES_OF_MODE = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2}


def of_correction(container: Container, image: Image.Image) -> int:
    """Return what decoding a picture takes, converting and turning it. Encoding a JPEG or PNG takes no more."""
    pixels = container.width * container.height
    return max(of_decoding(container, image), 2 * PLAIN * pixels) + FIXED


def of_webp(pixels: int, *, alpha: bool) -> int:
    """Return what encoding a picture as a lossy WebP takes, with the picture if it has alpha: else it is freed."""
    return pixels * (PLAIN + WEBP_ALPHA_ENCODER if alpha else 2 * PLAIN) + FIXED


def of_lossless_webp(pixels: int) -> int:
    """Return what encoding a picture as a lossless WebP takes, with the picture."""
    return pixels * (PLAIN + WEBP_LOSSLESS_ENCODER) + FIXED


def of_native(container: Container) -> tuple[int, int]:
    """Return what decoding a HEIC or AVIF file takes: of all, and of it the decoder's own process."""
    pixels = container.width * container.height
    fixed = INTERPRETER + COPIES * len(container.data)
    own = fixed + NATIVE_DECODER[container.content_type] * pixels
    handing_over = fixed + (NATIVE_PIXELS[container.content_type] + PLAIN) * pixels
    return max(own, handing_over) + FIXED, own


def of_renditions(container: Container, image: Image.Image) -> int:
    """Return what decoding a picture takes, at the size of `image`, and making its renditions."""
    pixels = image.width * image.height
    sizes = renditions.sizes(container.width, container.height)
    widest = sizes[0][0] * sizes[0][1] if sizes else 0
    scaled = PLAIN * sum(width * height for width, height in sizes)
    # Converting keeps two copies. Resizing keeps the picture, and it in its new width with its old height.
    converting = 0 if image.mode == "RGB" and not has_alpha(image) else 2 * PLAIN * pixels
    resizing = PLAIN * pixels + PLAIN * (sizes[0][0] if sizes else renditions.SKETCH) * image.height + scaled
    encoder = WEBP_ALPHA_ENCODER if has_alpha(image) else WEBP_ENCODER
    return max(of_decoding(container, image), converting, resizing, scaled + encoder * widest) + FIXED


def of_decoding(container: Container, image: Image.Image) -> int:
    """Return what decoding a picture takes, at the size of `image`."""
    pixels = image.width * image.height
    total = pixels * bytes_of_mode(image)
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        return total + (coefficients(container, image) if container.several_scans else 0)
    if container.content_type == "image/webp":
        total += pixels * (WEBP_LOSSLESS if container.lossless else WEBP_ALPHA if has_alpha(image) else 0)
    return total


def coefficients(container: Container, image: JpegImagePlugin.JpegImageFile) -> int:
    """Return the bytes of a JPEG's coefficients, which libjpeg keeps of a picture that comes in several scans."""
    across = max(one[1] for one in image.layer)
    down = max(one[2] for one in image.layer)
    columns, rows = -(-container.width // (8 * across)), -(-container.height // (8 * down))
    return sum(2 * 64 * columns * one[1] * rows * one[2] for one in image.layer)


def bytes_of_mode(image: Image.Image) -> int:
    return BYTES_OF_MODE.get(image.mode, PLAIN)


def has_alpha(image: Image.Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info
