"""Decodes and encodes WebP with a quarter of the memory that Pillow takes, by the libwebp that Pillow brings.

Pillow decodes by the interface for animations, which keeps two canvases and copies them twice: 16 bytes a pixel. The
one for a single picture (https://developers.google.com/speed/webp/docs/api) writes into our memory, 4 bytes a pixel.
"""

import ctypes
from collections.abc import Iterable, Iterator

from PIL import Image, _webp

STRIP = 64  # rows
# Symbols of a library that an extension module is linked with are found through that module (dlsym(3)).
LIBWEBP = ctypes.CDLL(_webp.__file__)
LIBWEBP.WebPDecodeRGBAInto.restype = ctypes.c_void_p
LIBWEBP.WebPDecodeRGBAInto.argtypes = [
    *(ctypes.c_char_p, ctypes.c_size_t),
    *(ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int),
]
LIBWEBP.WebPEncodeRGB.restype = ctypes.c_size_t
LIBWEBP.WebPEncodeRGB.argtypes = [
    *(ctypes.c_char_p, ctypes.c_int, ctypes.c_int, ctypes.c_int),
    *(ctypes.c_float, ctypes.POINTER(ctypes.c_void_p)),
]
LIBWEBP.WebPFree.argtypes = [ctypes.c_void_p]


def decoded(data: bytes, width: int, height: int, *, alpha: bool) -> Image.Image:
    """Return the picture of a WebP file of this size, in RGBA or RGBX. Raises OSError if it is damaged."""
    pixels = bytearray(4 * width * height)
    place = (ctypes.c_char * len(pixels)).from_buffer(pixels)
    if not LIBWEBP.WebPDecodeRGBAInto(data, len(data), ctypes.addressof(place), len(pixels), 4 * width):
        raise OSError("The WebP is damaged.")
    mode = "RGBA" if alpha else "RGBX"
    return Image.frombuffer(mode, (width, height), pixels, "raw", mode, 0, 1)


def encoded(image: Image.Image, qualities: Iterable[float]) -> Iterator[bytes]:
    """Yield a picture in RGB as a lossy WebP of each quality, and free the picture. Raises OSError without memory."""
    width, height = image.size
    row = 3 * width
    rgb = bytearray(row * height)
    for top in range(0, height, STRIP):
        bottom = min(top + STRIP, height)
        rgb[row * top : row * bottom] = image.crop((0, top, width, bottom)).tobytes()
    image.close()
    pixels = (ctypes.c_char * len(rgb)).from_buffer(rgb)
    for quality in qualities:
        place = ctypes.c_void_p()
        size = LIBWEBP.WebPEncodeRGB(pixels, width, height, row, quality, ctypes.byref(place))
        if not size or place.value is None:
            raise OSError("The WebP cannot be encoded.")
        try:
            file = ctypes.string_at(place.value, size)
        finally:
            LIBWEBP.WebPFree(place)
        yield file
