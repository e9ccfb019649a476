"""Encodes pictures in at most MAX_FILE_SIZE bytes: at a lower quality if need be, never in fewer pixels."""

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from PIL import Image, JpegImagePlugin

from uploads.pipeline import costs, renditions, webp

# Of JPEG and WebP: the first that is small enough is taken.
QUALITIES = (90, 80, 70, 60, 50, 40, 30, 20, 10, 1)
FINE = {"quality": 95, "subsampling": 0}  # of JPEG
PNG_LEVEL = 6
LOSSLESS_EFFORT = 30  # of 100


@dataclass(frozen=True)
class Encoder:
    """One way to encode a picture."""

    encode: Callable[[Image.Image], bytes]  # may free the picture
    cost: int = 0  # bytes for the picture and the encoder's own


def encoders(content_type: str, source: Image.Image, *, corrected: bool) -> list[Encoder]:
    """Return the ways to encode what `source`, of which only the header is decoded, will be, the best first.

    A JPEG with `corrected` colours is encoded finely: its own quantisation would move them again. A PNG that is too
    large becomes a lossless WebP, and at last a lossy one.
    """
    alpha, pixels = costs.has_alpha(source), source.width * source.height
    lossy = Encoder(lossy_webp, costs.of_webp(pixels, alpha=alpha))
    if content_type == "image/png":
        lossless = Encoder(lossless_webp, costs.of_lossless_webp(pixels))
        if max(source.size) > renditions.TALLEST:
            return [Encoder(png)]
        if lossless.cost > settings.DECODING_MEMORY:
            return [Encoder(png), lossy]
        return [Encoder(png), lossless, lossy]
    if content_type == "image/webp":
        return [lossy]
    return [Encoder(lambda image: jpeg(image, FINE if corrected else own_tables(source)))]


def own_tables(source: Image.Image) -> dict[str, Any]:
    """Return the options that save a JPEG with the quantisation of `source`, which loses the least; else none."""
    if source.mode != "RGB" or not isinstance(source, JpegImagePlugin.JpegImageFile):
        return {}
    tables = [source.quantization[number] for _, _, _, number in source.layer]
    return {"qtables": tables, "subsampling": max(JpegImagePlugin.get_sampling(source), 0)}


def jpeg(image: Image.Image, best: dict[str, Any]) -> bytes:
    """Return the picture, in RGB, as a JPEG; with the options `best` if that is small enough."""
    ways = [{"quality": quality} for quality in QUALITIES]
    return first_small_enough(saved(image, "JPEG", **way) for way in ([best] if best else []) + ways)


def png(image: Image.Image) -> bytes:
    return saved(image, "PNG", compress_level=PNG_LEVEL)


def lossless_webp(image: Image.Image) -> bytes:
    return saved(image, "WEBP", lossless=True, quality=LOSSLESS_EFFORT, method=0)


def lossy_webp(image: Image.Image) -> bytes:
    if image.mode == "RGB":
        return first_small_enough(webp.encoded(image, QUALITIES))
    return first_small_enough(saved(image, "WEBP", quality=quality, method=2) for quality in QUALITIES)


def first_small_enough(files: Iterable[bytes]) -> bytes:
    """Return the first file of at most MAX_FILE_SIZE bytes, or else the last."""
    file = b""
    for file in files:
        if len(file) <= settings.MAX_FILE_SIZE:
            break
    return file


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return the image as a file without metadata."""
    image.info = {}
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()
